#include "control/control.hpp"

#include "control/confinement.hpp"
#include "control/given_socket.hpp"
#include "control/requests.hpp"
#include "control/shares.hpp"
#include "supervise/hand_over.hpp"
#include "supervise/limited_log.hpp"

#include <xpc/openxpc/listener.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <set>
#include <utility>

#include "bundle/verbs.hpp"
#include "log.hpp"

namespace openxpc::control {

/// One request and its one answer.
struct pending {
  openxpc_request_t request;  // nullptr: it has been given
};

/// Outlives the service where a conversation of the library still refers to it.
struct service_state {
  asio::io_context& loop;
  domain::directory& directory;
  supervise::supervisor& jobs;
  bundle::applications& applications;
  object_ref listener;
  domain::bound_name bound;
  base::function<void()> closed;
  supervise::limited_log refusals;
  requests done;
  std::shared_ptr<shares> places = std::make_shared<shares>();
  manager* about = nullptr;
  /// Requests that have no answer yet.
  std::set<std::shared_ptr<pending>> unanswered = {};
};

namespace {

constexpr std::uint64_t message_bytes = 16 << 20;  ///< of a request: a long property list
constexpr std::uint32_t unanswered_count = 64;     ///< verbs of one client that are not done yet

/// Who is told no, and why; what others can cause to be printed is bounded.
void note_refusal(service_state& here, pid_t pid, uid_t user, const std::string& why) {
  const std::string line = here.refusals.take(
      "refused: process " + std::to_string(pid) + " of uid " + std::to_string(user) + ": " + why,
      base::boot_clock::now());
  if (!line.empty()) log_line(weight::warning, line);
}

/// The executor that the library gets: everything runs on xpcd's loop.
openxpc_executor_s executor_of(asio::io_context& loop) {
  openxpc_executor_s executor{};
  executor.context = &loop;
  executor.post = [](void* context, void* work, void (*run)(void*)) {
    asio::post(*static_cast<asio::io_context*>(context), [work, run] { run(work); });
  };
  return executor;
}

/// Text that a peer sent goes through strings of the library, which are UTF-8; it is never printed
/// here.
object_ref make_error(openxpc_error_code_t code, const std::string& message,
                      const char* domain = nullptr, std::int64_t number = 0) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = code;
  parts.domain = domain;
  parts.number = number;
  parts.message = message.c_str();
  return object_ref(::openxpc_error_create(&parts));
}

object_ref error_of(const trouble& why) {
  switch (why.what) {
    case trouble::kind::bad_input:
      return make_error(OPENXPC_ERROR_MALFORMED, why.text);
    case trouble::kind::not_found:
      return make_error(OPENXPC_ERROR_NOT_FOUND, why.text);
    case trouble::kind::denied:
      return make_error(OPENXPC_ERROR_DENIED, why.text);
    case trouble::kind::conflict:
      return make_error(OPENXPC_ERROR_REMOTE, why.text, "org.openxpc.xpcd", EEXIST);
    case trouble::kind::unavailable:
      break;
  }
  return make_error(OPENXPC_ERROR_NO_RESOURCES, why.text, "errno", why.number);
}

/// What a conversation with one client needs.
struct client {
  supervise::supervisor* jobs;
  std::weak_ptr<service_state> alive;
  pid_t pid;
  uid_t user;
  bool is_owner;
  std::unique_ptr<shares::place> place;
  bool is_link = false;
};

std::size_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : 0;
}

void answer_request(openxpc_request_t request, outcome<object_ref> result) {
  if (result) {
    ::openxpc_request_reply(request, result->get());
  } else {
    object_ref error = error_of(result.error());
    ::openxpc_request_fail(request, static_cast<xpc_rich_error_t>(error.get()));
  }
}

/// Why this process may not ask for what only the owner may; nothing when it may.
failure_of not_the_owner(const client& from, openxpc_request_t request) {
  if (!from.is_owner)
    return trouble{trouble::kind::denied, "only the owner of the domain may do that"};
  object_ref peer(::openxpc_request_copy_sender(request));
  const base::fd pidfd(::openxpc_peer_dup_pidfd(peer.get()));
  return confinement_of(from.pid, pidfd.get());
}

/// What a request is about: two that differ in it are never the same.
std::string subject_of(xpc_object_t message) {
  for (const char* key : {"label", "name", "origin"}) {
    if (std::optional<std::string> text = get_text(message, key)) return *text;
  }
  return {};
}

void on_request(void* context, openxpc_request_t request) {
  client& from = *static_cast<client*>(context);
  std::shared_ptr<service_state> here = from.alive.lock();
  if (!here) return ::openxpc_request_release(request);
  xpc_object_t message = ::openxpc_request_get_message(request);
  const std::string op = get_text(message, "op").value_or("");
  const verb* what = find_verb(op);
  if (what == nullptr) {
    note_refusal(*here, from.pid, from.user,
                 "no operation \"" + supervise::for_log(op) + "\" is known");
    object_ref error = make_error(OPENXPC_ERROR_UNKNOWN_METHOD,
                                  "xpcd knows no operation \"" + op.substr(0, 64) + "\"");
    return ::openxpc_request_fail(request, static_cast<xpc_rich_error_t>(error.get()));
  }
  // What a service says of itself needs no owner, and a launch does not wait for the question.
  failure_of foreign;
  if (what->owner_only || !(what->of_services || from.is_link))
    foreign = not_the_owner(from, request);
  if (what->owner_only && foreign) {
    foreign->text = op + ": " + foreign->text;
    note_refusal(*here, from.pid, from.user, foreign->text);
    return answer_request(request, *foreign);
  }
  verb_call call;
  call.message = message;
  call.pid = from.pid;
  call.user = from.user;
  call.applications = &here->applications;
  call.pidfd = [request] {
    object_ref sender(::openxpc_request_copy_sender(request));
    return base::fd(::openxpc_peer_dup_pidfd(sender.get()));
  };
  call.is_owner = from.is_owner && !foreign;
  if (what->of_services) {
    from.is_link = true;
    auto session = std::make_shared<object_ref>(::openxpc_request_copy_sender(request));
    call.link = supervise::job_link([session](xpc_object_t order) {
      if (xpc_rich_error_t why = ::openxpc_peer_send(session->get(), order)) {
        ::xpc_release(why);
        return false;
      }
      return true;
    });
  }
  auto open = std::make_shared<pending>(pending{request});
  here->unanswered.insert(open);
  answer answered = [open, alive = from.alive](outcome<object_ref> result) {
    if (std::shared_ptr<service_state> there = alive.lock()) there->unanswered.erase(open);
    // Given up by pause(): whoever asked comes back.
    if (open->request == nullptr) return;
    answer_request(std::exchange(open->request, nullptr), std::move(result));
  };
  call.manager = here->about;
  object_ref about_the_job;
  if (get_object(message, "application") != nullptr &&
      !bundle::turn_to_application(op, call, &about_the_job, &answered)) {
    return;
  }
  const std::optional<std::string> id =
      what->owner_only ? get_text(message, "request-id") : std::nullopt;
  if (id.value_or("").empty()) return what->run(*from.jobs, call, std::move(answered));
  call.carried = here->done.is_carried(*id, op, subject_of(message));
  here->done.run(
      *id, op, subject_of(message),
      [&](answer first) { what->run(*from.jobs, call, std::move(first)); }, std::move(answered));
}

void on_end(void* context, xpc_rich_error_t) {
  client& from = *static_cast<client*>(context);
  if (from.is_link && !from.alive.expired()) from.jobs->link_lost(from.pid);
}

}  // namespace

service::service(asio::io_context& loop, domain::directory& directory, supervise::supervisor& jobs,
                 bundle::applications& applications)
    : state_(
          std::make_shared<service_state>(service_state{loop,
                                                        directory,
                                                        jobs,
                                                        applications,
                                                        {},
                                                        {},
                                                        {},
                                                        {},
                                                        requests(directory.borrowed_run_fd())})) {}

service::~service() {
  if (state_->listener) {
    ::openxpc_listener_cancel(static_cast<xpc_listener_t>(state_->listener.get()));
  }
}

failure_of service::open() {
  given_socket given = take_given_socket(state_->directory);
  if (!given.unfit.empty()) log_line(weight::warning, given.unfit);
  outcome<domain::bound_name> bound =
      given.bound.socket ? std::move(given.bound) : state_->directory.publish(domain::control_name);
  if (!bound) return bound.error();
  state_->bound = std::move(*bound);
  return go_on();
}

failure_of service::resume(xpc_object_t given, handover::incoming& in) {
  xpc_object_t bound = get_object(given, "control");
  if (bound != nullptr) state_->bound = supervise::unpack_bound(bound, in);
  state_->done.carry(get_object(given, "requests"));
  return state_->bound.socket ? go_on() : open();
}

void service::hand_over(xpc_object_t into, handover::outgoing& out) const {
  set(into, "control", supervise::pack(state_->bound, out));
  set(into, "requests", state_->done.under_way());
}

void service::set_manager(manager* about) { state_->about = about; }

/// The socket itself stays here: what the listener closes is its own.
failure_of service::go_on() {
  base::fd socket = base::fd::copy(state_->bound.socket.get());
  if (!socket) return system_trouble(errno, std::string(domain::control_name));
  return listen(std::move(socket));
}

void service::pause(base::function<void()> paused) {
  struct waiting {
    explicit waiting(asio::io_context& loop) : time(loop) {}
    base::function<void()> paused;
    asio::steady_timer time;
    void end() {
      time.cancel();
      if (base::function<void()> once = std::exchange(paused, nullptr)) once();
    }
  };
  // Of what the owner has begun nothing is lost if it takes longer: it is asked for again.
  constexpr std::chrono::seconds patience{2};
  auto all = std::make_shared<waiting>(state_->loop);
  all->paused = std::move(paused);
  all->time.expires_after(patience);
  all->time.async_wait([all](const asio::error_code& error) {
    if (!error) all->end();
  });
  const std::set<std::shared_ptr<pending>> open = std::exchange(state_->unanswered, {});
  for (const std::shared_ptr<pending>& one : open) {
    object_ref error = make_error(OPENXPC_ERROR_INTERRUPTED,
                                  "the service manager becomes another version: ask again");
    ::openxpc_request_fail(std::exchange(one->request, nullptr),
                           static_cast<xpc_rich_error_t>(error.get()));
  }
  if (!state_->listener) return all->end();
  struct told {
    std::shared_ptr<waiting> all;
    asio::io_context& loop;
  };
  ::openxpc_listener_close(static_cast<xpc_listener_t>(state_->listener.get()),
                           new told{all, state_->loop}, [](void* context) {
                             const std::unique_ptr<told> what(static_cast<told*>(context));
                             asio::post(what->loop, [all = what->all] { all->end(); });
                           });
}

failure_of service::listen(base::fd socket) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.executor = executor_of(state_->loop);
  options.conversation.limits.message_bytes = message_bytes;
  options.conversation.limits.unanswered_count = unanswered_count;
  options.context = new std::weak_ptr<service_state>(state_);
  options.release = [](void* context) {
    delete static_cast<std::weak_ptr<service_state>*>(context);
  };
  options.on_session = [](void* context, xpc_session_t session,
                          openxpc_conversation_options_s* chosen, char* reason,
                          std::size_t reason_size) {
    auto& weak = *static_cast<std::weak_ptr<service_state>*>(context);
    std::shared_ptr<service_state> here = weak.lock();
    openxpc_identity_s who{};
    who.size = sizeof who;
    if (!here || !::openxpc_peer_get_identity(session, &who)) return OPENXPC_REJECT;
    const bool is_owner = who.euid == ::geteuid() || who.euid == 0;
    const bool is_job = who.pid > 0 && !here->jobs.label_of(who.pid).empty();
    // Jobs that run as another user check in here; in the system domain everybody may look.
    const bool may_ask = is_owner || here->directory.is_system() || is_job;
    if (!may_ask) {
      note_refusal(*here, who.pid, who.euid, "the control interface is the owner's alone");
      std::snprintf(reason, reason_size, "this domain belongs to uid %u, not to %u",
                    static_cast<unsigned>(::geteuid()), static_cast<unsigned>(who.euid));
      return OPENXPC_REJECT;
    }
    std::string full;
    std::unique_ptr<shares::place> place = shares::admit(
        here->places, {who.euid, is_job ? who.pid : 0, is_owner}, descriptor_limit(), &full);
    if (!place) {
      note_refusal(*here, who.pid, who.euid, full);
      std::snprintf(reason, reason_size, "%s", full.c_str());
      return OPENXPC_REJECT;
    }
    chosen->handlers = {};
    chosen->handlers.context =
        new client{&here->jobs, weak, who.pid, who.euid, is_owner, std::move(place)};
    chosen->handlers.on_request = on_request;
    chosen->handlers.on_end = on_end;
    chosen->handlers.release = [](void* one) { delete static_cast<client*>(one); };
    return OPENXPC_ACCEPT;
  };
  xpc_rich_error_t error = nullptr;
  state_->listener.reset(::openxpc_listener_open_fd(
      socket.release(), std::string(domain::control_name).c_str(), &options, &error));
  if (!state_->listener) {
    trouble why{trouble::kind::unavailable, ::openxpc_error_get_message(error)};
    ::xpc_release(error);
    return why;
  }
  return std::nullopt;
}

void service::close(base::function<void()> closed) {
  state_->directory.withdraw(domain::control_name, state_->bound);
  state_->bound.socket.reset();
  state_->done.forget_all();
  if (!state_->listener) return closed();
  state_->closed = std::move(closed);
  ::openxpc_listener_close(static_cast<xpc_listener_t>(state_->listener.get()), state_.get(),
                           [](void* context) {
                             service_state& here = *static_cast<service_state*>(context);
                             asio::post(here.loop, [&here] { here.closed(); });
                           });
}

}  // namespace openxpc::control
