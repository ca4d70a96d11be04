#pragma once

#include <xpc/detail/handlers.hpp>

#include <string>

/// Talking to a service: `session` has one life, `connection` (connection.hpp) comes back. Both are
/// a `peer`, which functions take and handlers get.
namespace xpc {

/// Which service manager's names are meant.
struct domain {
  enum class kind : std::uint32_t {
    automatic =
        OPENXPC_DOMAIN_AUTOMATIC,  ///< the user's own, then the system's; for root the system's
    user = OPENXPC_DOMAIN_USER,
    system = OPENXPC_DOMAIN_SYSTEM,
  };
  std::string directory = {};  ///< one named by its directory; empty: as `which` says
  kind which = kind::automatic;
};

/// What one conversation may cost.
struct limits {
  std::uint64_t message_bytes = 128 << 20;  ///< largest message that is accepted; at least 65,536
  std::uint32_t unanswered_count = 1024;    ///< requests of the other side open at the same time
  std::uint64_t unsent_bytes =
      4 << 20;  ///< what may wait here for a slow reader before would_block
};

/// How to talk. Handlers of one conversation never overlap, on_end is the last.
struct session_options {
  std::chrono::nanoseconds call_timeout =
      std::chrono::seconds(30);  ///< for calls that give none; no_timeout: for ever
  xpc::domain domain = {};
  xpc::executor executor =
      {};  ///< where handlers and callbacks run; default: the thread that received
  xpc::limits limits = {};
  unique_function<void(const failure&)> on_end = {};  ///< once, also after one's own cancel
  /// A handler threw something else than bad_result. Unset: the process ends. With it the caller
  /// gets service_failed and the conversation goes on.
  unique_function<void(std::exception_ptr)> on_fault = {};
  unique_function<void(const failure&)> on_interrupted =
      {};                                  ///< connection only: the service's state is gone
  request_handler on_message = {};         ///< messages without reply; unset: on_request gets them
  request_handler on_request = {};         ///< unset: unknown_method
  subscription_handler on_subscribe = {};  ///< unset: unknown_method
};

namespace detail {

/// What a session's handlers share, and how C calls it.
class session_side final : public conversation_side {
 public:
  explicit session_side(session_options&& options) : options_(std::move(options)) {
    on = options_.executor;
    call_timeout = options_.call_timeout;
    on_fault = std::move(options_.on_fault);
  }

  /// The handlers with a reference to this in their context, which they release.
  openxpc_handlers_s handlers() {
    openxpc_handlers_s table{};
    this->retain();
    table.context = this;
    table.release = [](void* me) { at(me)->release(); };
    if (options_.on_request)
      table.on_request = [](void* me, openxpc_request_t one) {
        at(me)->options_.on_request(*at(me), one);
      };
    if (options_.on_message)
      table.on_message = [](void* me, openxpc_request_t one) {
        at(me)->options_.on_message(*at(me), one);
      };
    if (options_.on_subscribe)
      table.on_subscribe = [](void* me, openxpc_subscription_t one) {
        at(me)->options_.on_subscribe(*at(me), one);
      };
    if (options_.on_interrupted)
      table.on_interrupted = [](void* me, xpc_rich_error_t why) noexcept {
        at(me)->options_.on_interrupted(failure::from_native(why));
      };
    if (options_.on_end)
      table.on_end = [](void* me, xpc_rich_error_t why) noexcept {
        at(me)->options_.on_end(failure::from_native(why));
      };
    return table;
  }
  /// All options; executor and handlers hold references that the C function takes over.
  openxpc_conversation_options_s native() {
    openxpc_conversation_options_s all{};
    all.size = sizeof all;
    if (!options_.domain.directory.empty())
      all.domain_directory = options_.domain.directory.c_str();
    all.domain = static_cast<std::uint32_t>(options_.domain.which);
    all.limits.message_bytes = options_.limits.message_bytes;
    all.limits.unsent_bytes = options_.limits.unsent_bytes;
    all.limits.unanswered_count = options_.limits.unanswered_count;
    all.executor = on.native();
    all.handlers = handlers();
    return all;
  }

 private:
  static session_side* at(void* me) noexcept { return static_cast<session_side*>(me); }
  session_options options_;
};

/// A peer that ends with its owner.
class owned_peer : public peer {
 public:
  owned_peer(owned_peer&& other) noexcept : peer(std::move(other)) {}
  owned_peer& operator=(owned_peer&& other) noexcept {
    if (this != &other) {
      end();
      peer::operator=(std::move(other));
    }
    return *this;
  }

  /// Ends in order: sends what is queued, lets running handlers and their coroutines end, then
  /// cancels; done after on_end.
  pending<void> close() {
    return told([&](void* context) {
      openxpc_peer_close(object_.get(), context,
                         [](void* waiting) { complete_cell(waiting, nullptr); });
    });
  }

 protected:
  owned_peer(xpc_object_t owned, std::chrono::nanoseconds call_timeout) noexcept
      : peer(handle::adopt(owned), call_timeout) {}
  ~owned_peer() { end(); }

  template <class T, class Open>
  static result<T> open_with(session_options options, Open open) {
    auto timeout = options.call_timeout;
    auto side = counted_ref<session_side>::adopt(new session_side(std::move(options)));
    openxpc_conversation_options_s native = side->native();
    xpc_rich_error_t error = nullptr;
    auto opened = open(&native, &error);
    if (!opened) return failure::adopt_native(error);
    return T(opened, timeout);
  }

 private:
  void end() noexcept {
    if (!object_) return;
    openxpc_peer_cancel(object_.get(), nullptr);
    openxpc_peer_wait_for_handlers(object_.get());
    object_ = {};
  }
};

}  // namespace detail

/// A conversation with one life: when either side goes away it is over. A resource, move-only:
/// destroying it cancels, and waits for a handler that runs (not when called from one). Threads: as
/// peer; moving and destroying beside no other call.
class session : public detail::owned_peer {
 public:
  /// Looks the name up; never waits for the service, which the first message launches.
  /// Errors: not_found, no_domain (remedy: how to start a service manager), denied,
  /// invalid_argument.
  static result<session> open(std::string_view service, session_options options = {}) {
    std::string name(service);
    return open_with<session>(std::move(options), [&](const openxpc_conversation_options_s* how,
                                                      xpc_rich_error_t* error) {
      return openxpc_session_open(name.c_str(), how, error);
    });
  }
  /// With whoever listens behind an endpoint; needs no service manager.
  static result<session> open(const endpoint& to, session_options options = {}) {
    return open_with<session>(std::move(options), [&](const openxpc_conversation_options_s* how,
                                                      xpc_rich_error_t* error) {
      return openxpc_session_open_endpoint(to.native_handle(), how, error);
    });
  }
  /// Lent, for C functions.
  xpc_session_t native_handle() const noexcept { return static_cast<xpc_session_t>(object_.get()); }

 private:
  friend class detail::owned_peer;
  session(xpc_session_t owned, std::chrono::nanoseconds call_timeout) noexcept
      : owned_peer(owned, call_timeout) {}
};

}  // namespace xpc
