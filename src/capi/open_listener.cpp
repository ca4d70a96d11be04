#include "bootstrap/inherited.hpp"
#include "bootstrap/name.hpp"
#include "bootstrap/service_link.hpp"
#include "capi/executors.hpp"
#include "capi/handle.hpp"
#include "capi/program_handlers.hpp"
#include "connection/listener.hpp"

#include <xpc/openxpc/listener.h>

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace openxpc::capi {
namespace {

using connection::error_ref;
using connection::listener;
using connection::listener_object;
using connection::peer_object;

class program_listener final : public listener::handlers {
 public:
  explicit program_listener(const openxpc_listener_options_s& given)
      : told_(given),
        sessions_(base::make_ref<shared_context>(given.conversation.handlers.context,
                                                 given.conversation.handlers.release)),
        executor_(executor_of(&given.conversation.executor)) {}

  void peer(const base::ref<peer_object>& who) override {
    openxpc_conversation_options_s options = told_.conversation;
    char reason[1024] = "";
    if (told_.on_session) {
      auto session =
          static_cast<xpc_session_t>(static_cast<void*>(static_cast<object::object*>(who.get())));
      auto decision = told_.on_session(told_.context, session, &options, reason, sizeof reason);
      // A client that has gone meanwhile is accepted: what it said before is still to be handled.
      if (who->behind().is_cancelled()) return;
      if (decision == OPENXPC_REJECT)
        return who->behind().refuse(connection::make_error(
            OPENXPC_ERROR_REFUSED, reason[0] ? reason : "the service refused"));
    }
    // What the handler replaced belongs to this session alone, the rest to all of them.
    auto owner = sessions_;
    if (options.handlers.context != told_.conversation.handlers.context)
      owner = base::make_ref<shared_context>(options.handlers.context, options.handlers.release);
    auto where = executor_;
    if (options.executor.context != told_.conversation.executor.context)
      where = executor_of(&options.executor);
    who->behind().set_handlers(handlers_of(options.handlers, std::move(owner)));
    who->behind().set_executor(std::move(where));
    who->behind().activate();
  }
  void refused(const error_ref& why, const connection::conversation::identity& who) override {
    if (!told_.on_refused) return;
    openxpc_identity_s is{sizeof is, who.pid, who.euid, who.egid, 0};
    told_.on_refused(told_.context, lend(why), &is);
  }
  void ended(const error_ref& why) override {
    if (told_.on_end) told_.on_end(told_.context, lend(why));
  }

  const base::ref<connection::executor>& where() const noexcept { return executor_; }

 private:
  ~program_listener() override {
    if (told_.release) told_.release(told_.context);
  }
  const openxpc_listener_options_s told_;
  const base::ref<shared_context> sessions_;
  const base::ref<connection::executor> executor_;
};

xpc_listener_t open(base::ref<program_listener> told, const openxpc_listener_options_s* options,
                    const char* name, base::fd socket, connection::held_by whom) {
  listener::options how;
  how.peers = OPENXPC_TYPE_SESSION;
  how.limits = limits_of(options ? options->conversation.limits : openxpc_limits_s{});
  auto made = listener_object::make(OPENXPC_TYPE_LISTENER, name ? name : "",
                                    listener::make(std::move(how)));
  if (socket) made->behind().add_socket(std::move(socket), whom);
  made->behind().set_executor(told->where());
  made->behind().set_handlers(std::move(told));
  made->behind().activate();
  return static_cast<xpc_listener_t>(
      static_cast<void*>(static_cast<object::object*>(made.release())));
}

base::ref<program_listener> take(const openxpc_listener_options_s* options) {
  openxpc_listener_options_s given{};
  if (options) std::memcpy(&given, options, std::min(options->size, sizeof given));
  return base::make_ref<program_listener>(given);
}

listener_object& need_listener(xpc_listener_t handle, const char* function) {
  object::object& any = need(handle, function);
  if (any.what() != OPENXPC_TYPE_LISTENER) wrong_type(function, "listener", any);
  return static_cast<listener_object&>(any);
}

}  // namespace
}  // namespace openxpc::capi

using namespace openxpc;
using namespace openxpc::capi;

xpc_listener_t openxpc_listener_open(const char* service, const openxpc_listener_options_s* options,
                                     xpc_rich_error_t* error) {
  need_pointer(service, "service", __func__);
  auto told = take(options);
  error_ref why = bootstrap::check_name(service);
  base::fd socket = why ? base::fd() : bootstrap::inherited_listener(service);
  if (!socket) {
    if (!why)
      why = connection::make_error(OPENXPC_ERROR_NOT_FOUND,
                                   std::string("this process may not listen on ") + service,
                                   "declare the name in MachServices of its job description, and "
                                   "have the service manager launch it");
    if (error) *error = give(std::move(why));
    return nullptr;
  }
  bootstrap::expect_named_listener();
  xpc_listener_t made = open(std::move(told), options, service, std::move(socket),
                             connection::held_by::service_manager);
  bootstrap::add_named_listener(
      base::ref<listener>::share(&need_listener(made, __func__).behind()));
  return made;
}

xpc_listener_t openxpc_listener_open_anonymous(const openxpc_listener_options_s* options,
                                               xpc_rich_error_t* error) {
  xpc_listener_t made =
      open(take(options), options, nullptr, base::fd(), connection::held_by::program);
  if (need_listener(made, __func__).behind().make_endpoint()) return made;
  if (error)
    *error = give(connection::make_error(
        OPENXPC_ERROR_NO_RESOURCES,
        std::string("no socket for an anonymous listener: ") + std::strerror(errno)));
  need_listener(made, __func__).release();
  return nullptr;
}

xpc_listener_t openxpc_listener_open_fd(int owned_fd, const char* service,
                                        const openxpc_listener_options_s* options,
                                        xpc_rich_error_t* error) {
  base::fd socket(owned_fd);
  auto told = take(options);
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(owned_fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) {
    if (error)
      *error = give(connection::make_error(OPENXPC_ERROR_INVALID_ARGUMENT,
                                           "the descriptor is no socket that listens"));
    return nullptr;
  }
  return open(std::move(told), options, service, std::move(socket), connection::held_by::program);
}

xpc_endpoint_t openxpc_listener_create_endpoint(xpc_listener_t handle) {
  auto made = need_listener(handle, __func__).behind().make_endpoint();
  return static_cast<xpc_endpoint_t>(
      static_cast<void*>(static_cast<object::object*>(made.release())));
}

void openxpc_listener_cancel(xpc_listener_t handle) {
  need_listener(handle, __func__)
      .behind()
      .cancel_all(connection::make_error(OPENXPC_ERROR_CANCELED, "the listener was cancelled"));
}

void openxpc_listener_close(xpc_listener_t handle, void* context, void (*done)(void*)) {
  need_listener(handle, __func__)
      .behind()
      .stop(done ? base::function<void()>([context, done] { done(context); })
                 : base::function<void()>());
}

void openxpc_listener_wait_for_handlers(xpc_listener_t handle) {
  need_listener(handle, __func__).behind().wait_for_handlers();
}

std::uint64_t openxpc_listener_get_session_count(xpc_listener_t handle) {
  return need_listener(handle, __func__).behind().peer_count();
}
