#pragma once

#include <xpc/detail/calls.hpp>
#include <xpc/requirement.hpp>
#include <xpc/stream.hpp>

namespace xpc {

/// How to make a call.
struct call_options {
  /// Told how far the service is, the latest report only, on the conversation's executor: units
  /// done, units in all, words.
  unique_function<void(std::uint64_t done, std::uint64_t total, std::string_view what)>
      on_progress = {};
  std::stop_token stop = {};  ///< cancels the call; the service is told
  /// From now until the reply is handed over; no_timeout: for ever; unset: the session's
  /// call_timeout.
  std::optional<std::chrono::nanoseconds> timeout = {};
};

/// The other side of a conversation, as something to talk to. A handle: copyable, keeps no
/// conversation alive; when it is over each verb fails with canceled, or with the reason why it
/// ended. Threads: any member from any thread.
class peer {
 public:
  /// Nobody: each verb fails with canceled.
  peer() noexcept = default;

  /// Queues a message without reply; it was copied, so it may be changed afterwards (rule 9).
  /// Errors: would_block, limits.unsent_bytes are unsent; canceled; interrupted; too_large;
  /// invalid_argument.
  result<void> send(const dictionary& message) const {
    if (!object_) return nobody();
    return detail::done_or(openxpc_peer_send(object_.get(), message.native_handle()));
  }
  /// The same, but waits for room instead of failing with would_block; order of the calls is kept.
  /// Cancelling it forgets the waiting, not the message.
  pending<void> send_when_ready(const dictionary& message) const {
    return told([&](void* context) {
      openxpc_peer_send_when_ready(object_.get(), message.native_handle(), context,
                                   &detail::complete_cell);
    });
  }
  /// Sends a request now, in the order of the calls; await it or wait() for it. A reply that comes
  /// too late is dropped and counted. Errors: what the service answers; timed_out, interrupted,
  /// canceled, no_reply, unknown_method, too_large, too_many, and why the service cannot be
  /// reached.
  pending<dictionary> call(const dictionary& request, call_options options = {}) const {
    if (!object_) return detail::settled<dictionary>(nobody());
    openxpc_call_options_s how{};
    how.size = sizeof how;
    how.timeout_ns = detail::timeout_ns(options.timeout.value_or(call_timeout_));
    if (options.on_progress) {
      using progress = decltype(options.on_progress);
      how.progress_context = new progress(std::move(options.on_progress));
      how.on_progress = [](void* held, std::uint64_t done, std::uint64_t total, const char* what) {
        (*static_cast<progress*>(held))(done, total, what ? what : "");
      };
      how.release_progress = [](void* held) { delete static_cast<progress*>(held); };
    }
    openxpc_call_t made = openxpc_peer_call(object_.get(), request.native_handle(), &how);
    if (!options.stop.stop_possible()) return detail::plain_call(made);
    return detail::stoppable_call::begin(made, std::move(options.stop));
  }
  /// Subscribes now: many rows for one request. Errors are the outcome of the stream.
  template <class T = dictionary>
  stream<T> subscribe(const dictionary& request, subscribe_options options = {}) const {
    if (!object_) openxpc_misuse("xpc::peer::subscribe", "this peer is nobody");
    openxpc_stream_t made =
        openxpc_peer_subscribe(object_.get(), request.native_handle(), options.credit_bytes,
                               detail::timeout_ns(options.timeout));
    return stream<T>(made, std::move(options.stop));
  }
  /// Done once all that was sent so far has left this process; no proof that it arrived.
  pending<void> flush() const {
    return told(
        [&](void* context) { openxpc_peer_flush(object_.get(), context, &detail::complete_cell); });
  }
  /// Who it is. Errors: interrupted, not known: not connected yet, or over.
  result<peer_identity> identity() const {
    openxpc_identity_s who{};
    who.size = sizeof who;
    if (!object_ || !openxpc_peer_get_identity(object_.get(), &who))
      return failure(errc::interrupted, "nobody is at the other end, or not yet");
    return peer_identity(who, object_);
  }
  /// Ends the conversation now: what is unsent vanishes, open calls fail with canceled. @param
  /// reason may be read by the other side.
  void cancel(std::string_view reason = {}) const {
    if (object_)
      openxpc_peer_cancel(object_.get(), reason.empty() ? nullptr : std::string(reason).c_str());
  }
  /// Text for people; its form may change.
  std::string describe() const {
    return object_ ? object::from_native(object_.get()).describe() : "nobody";
  }
  /// The same conversation.
  friend bool operator==(const peer& one, const peer& other) noexcept {
    return one.object_.get() == other.object_.get();
  }

  /// For the parts of this library.
  peer(detail::handle conversation, std::chrono::nanoseconds call_timeout) noexcept
      : object_(std::move(conversation)), call_timeout_(call_timeout) {}

 protected:
  static failure nobody() {
    return failure(errc::canceled, "this peer is nobody: it was moved from, or never anybody");
  }
  /// A pending that a C function completes.
  template <class Begin>
  pending<void> told(Begin begin) const {
    if (!object_) return detail::settled<void>(nobody());
    auto* waiting = new detail::cell<void>;
    waiting->retain();
    begin(waiting);
    return {waiting, detail::cell<void>::operations()};
  }

  detail::handle object_;
  std::chrono::nanoseconds call_timeout_ = std::chrono::seconds(30);
};

}  // namespace xpc
