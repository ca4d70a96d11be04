#pragma once

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>
#include <xpc/session.hpp>

/// Being a service: `serve` in one line, `listener` in parts.
namespace xpc {

/// What on_session makes of a client; incoming::accept() and incoming::reject() give it.
class [[nodiscard]] decision {
 private:
  friend class incoming;
  explicit decision(openxpc_decision what) noexcept : what_(what) {}
  friend struct listener_options;
  friend class listener;
  openxpc_decision what_;
};

/// A client that has come and is not served yet. Lives during on_session only.
class incoming {
 public:
  incoming(const incoming&) = delete;
  incoming& operator=(const incoming&) = delete;

  /// The client, as something to talk to once it is accepted.
  peer client() const { return client_; }
  /// Who it is.
  result<peer_identity> identity() const { return client_.identity(); }
  /// Serves it as the listener's options say.
  decision accept() { return decision(OPENXPC_ACCEPT); }
  /// Serves it with handlers of its own, instead of the listener's; limits and domain are the
  /// listener's.
  decision accept(session_options options) {
    auto side = detail::counted_ref<detail::session_side>::adopt(
        new detail::session_side(std::move(options)));
    if (side->on) native_.executor = side->on.native();
    if (!side->on) side->on = listener_on_;
    native_.handlers = side->handlers();
    return decision(OPENXPC_ACCEPT);
  }
  /// Sends it away; it reads the reason, with the code refused.
  decision reject(std::string_view reason) {
    std::size_t length = reason.size() < room_ ? reason.size() : room_ - 1;
    reason_[reason.copy(reason_, length)] = '\0';
    return decision(OPENXPC_REJECT);
  }

  /// For the parts of this library.
  incoming(peer client, executor listener_on, openxpc_conversation_options_s& native, char* reason,
           std::size_t room) noexcept
      : client_(std::move(client)),
        listener_on_(std::move(listener_on)),
        native_(native),
        reason_(reason),
        room_(room) {}

 private:
  peer client_;
  executor listener_on_;
  openxpc_conversation_options_s& native_;
  char* reason_;
  std::size_t room_;
};

/// How to serve. Handlers of one session never overlap; those of different sessions may, so what
/// they share needs a lock (or an executor of one thread).
struct listener_options {
  std::chrono::nanoseconds call_timeout =
      std::chrono::seconds(30);  ///< for calls to clients that give none
  xpc::domain domain = {};
  xpc::executor executor = {};  ///< where handlers run; default: the threads that received
  xpc::limits limits = {};      ///< of each session
  unique_function<void(const failure&)> on_end = {};  ///< the listener is over; once
  /// A handler threw something else than bad_result. Unset: the process ends. With it the caller
  /// gets service_failed and the service goes on.
  unique_function<void(std::exception_ptr)> on_fault = {};
  request_handler on_message = {};  ///< messages without reply; unset: on_request gets them
  unique_function<void(const failure& why, const peer_identity& who)> on_refused =
      {};                                                ///< somebody was sent away
  request_handler on_request = {};                       ///< unset: unknown_method
  unique_function<decision(incoming&)> on_session = {};  ///< unset: everybody is accepted
  subscription_handler on_subscribe = {};                ///< unset: unknown_method
};

/// Accepts clients and serves them. A resource, move-only: destroying it cancels it and its
/// sessions and waits for handlers that run (not when called from one). Threads: any; moving and
/// destroying beside no other call.
class listener {
 public:
  /// Listens on a name that this process was given by the service manager.
  /// Errors: not_found, the job does not declare the name (remedy); invalid_argument.
  static result<listener> open(std::string_view service, listener_options options) {
    std::string name(service);
    return open_with(std::move(options),
                     [&](const openxpc_listener_options_s* how, xpc_rich_error_t* error) {
                       return openxpc_listener_open(name.c_str(), how, error);
                     });
  }
  /// Without a name: reached by its endpoints, and by whoever they are sent to. Errors:
  /// no_resources.
  static result<listener> anonymous(listener_options options) {
    return open_with(std::move(options), &openxpc_listener_open_anonymous);
  }
  listener(listener&&) noexcept = default;
  listener& operator=(listener&& other) noexcept {
    if (this != &other) {
      end();
      object_ = std::move(other.object_);
    }
    return *this;
  }
  ~listener() { end(); }

  /// A way here, which may be sent in messages. It keeps nothing alive.
  endpoint make_endpoint() const {
    xpc_endpoint_t made = openxpc_listener_create_endpoint(native_handle());
    if (!made)
      openxpc_misuse("xpc::listener::make_endpoint",
                     "this listener's socket was made elsewhere and has no file");
    auto wrapped = endpoint::from_native(made);
    xpc_release(made);
    return *std::move(wrapped);
  }
  /// Stops in order: accepts no more, handles each message that was accepted, sends the replies in
  /// hand, lets handlers and their coroutines end; then done.
  pending<void> close() {
    auto* waiting = new detail::cell<void>;
    waiting->retain();
    openxpc_listener_close(native_handle(), waiting,
                           [](void* context) { detail::complete_cell(context, nullptr); });
    return {waiting, detail::cell<void>::operations()};
  }
  /// Lent, for C functions.
  xpc_listener_t native_handle() const noexcept {
    return static_cast<xpc_listener_t>(object_.get());
  }

 private:
  /// What the listener's own handlers share, and how C calls them.
  class side final : public detail::counted {
   public:
    side(listener_options& from, detail::counted_ref<detail::session_side> sessions)
        : on_end(std::move(from.on_end)),
          on_refused(std::move(from.on_refused)),
          on_session(std::move(from.on_session)),
          sessions_(std::move(sessions)) {}
    openxpc_decision decide(xpc_session_t session, openxpc_conversation_options_s& options,
                            char* reason, std::size_t room) {
      openxpc_decision what = OPENXPC_REJECT;
      detail::guarded(
          *sessions_,
          [&] {
            incoming who(peer(detail::handle::share(session), sessions_->call_timeout),
                         sessions_->on, options, reason, room);
            what = on_session(who).what_;
          },
          [&](const failure& why) {
            std::string_view text = why.message();
            reason[text.copy(reason, room - 1)] = '\0';
          });
      return what;
    }
    unique_function<void(const failure&)> on_end;
    unique_function<void(const failure&, const peer_identity&)> on_refused;
    unique_function<decision(incoming&)> on_session;

   private:
    detail::counted_ref<detail::session_side> sessions_;
  };
  static side* at(void* me) noexcept { return static_cast<side*>(me); }

  template <class Open>
  static result<listener> open_with(listener_options options, Open open) {
    auto sessions = detail::counted_ref<detail::session_side>::adopt(new detail::session_side({
        .call_timeout = options.call_timeout,
        .domain = std::move(options.domain),
        .executor = std::move(options.executor),
        .limits = options.limits,
        .on_fault = std::move(options.on_fault),
        .on_message = std::move(options.on_message),
        .on_request = std::move(options.on_request),
        .on_subscribe = std::move(options.on_subscribe),
    }));
    openxpc_listener_options_s native{};
    native.size = sizeof native;
    native.conversation = sessions->native();
    auto* own = new side(options, sessions);
    native.context = own;
    native.release = [](void* me) { at(me)->release(); };
    if (own->on_session)
      native.on_session = [](void* me, xpc_session_t session, openxpc_conversation_options_s* how,
                             char* reason, std::size_t room) {
        return at(me)->decide(session, *how, reason, room);
      };
    if (own->on_refused)
      native.on_refused = [](void* me, xpc_rich_error_t why,
                             const openxpc_identity_s* who) noexcept {
        at(me)->on_refused(failure::from_native(why), peer_identity(*who, {}));
      };
    if (own->on_end)
      native.on_end = [](void* me, xpc_rich_error_t why) noexcept {
        at(me)->on_end(failure::from_native(why));
      };
    xpc_rich_error_t error = nullptr;
    xpc_listener_t opened = open(&native, &error);
    if (!opened) return failure::adopt_native(error);
    return listener(detail::handle::adopt(opened));
  }

  explicit listener(detail::handle object) noexcept : object_(std::move(object)) {}
  void end() noexcept {
    if (!object_) return;
    openxpc_listener_cancel(native_handle());
    openxpc_listener_wait_for_handlers(native_handle());
    object_ = {};
  }
  detail::handle object_;
};

/// Blocks until this process is asked to end: by the service manager, by SIGTERM or by SIGINT,
/// which the first use of a termination function takes over for the whole process.
inline void wait_for_termination() { openxpc_wait_for_termination(); }

/// Fires when this process is asked to end, as above.
inline std::stop_token termination() {
  static std::stop_source* const source = [] {
    auto* made = new std::stop_source;
    openxpc_on_termination(
        made, [](void* asked) { static_cast<std::stop_source*>(asked)->request_stop(); });
    return made;
  }();
  return source->get_token();
}

/// A whole service, for main(): opens the name, serves until told to end, drains, and gives the
/// exit code; blocks. When the name cannot be opened it prints why.
inline int serve(std::string_view service, listener_options options) {
  // Before anybody is accepted: a program asked to end while it still opens must end here, in
  // order.
  openxpc_on_termination(nullptr, [](void*) {});
  auto listening = listener::open(service, std::move(options));
  if (!listening) return report(listening.error());
  wait_for_termination();
  auto closed = listening->close().wait();
  return closed ? 0 : report(closed.error());
}
/// The same for one that only answers requests.
inline int serve(std::string_view service, request_handler on_request) {
  return serve(service, listener_options{.on_request = std::move(on_request)});
}

}  // namespace xpc
