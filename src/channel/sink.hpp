#pragma once

#include "base/block.hpp"
#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/ref.hpp"
#include "channel/frame.hpp"
#include "channel/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What a channel hands upward.
namespace openxpc::channel {

/// Why a request or subscription is no longer wanted (the body of a cancel frame).
enum class cancel_reason : std::uint32_t { stopped = 1, timed_out = 2, dropped = 3 };

/// What a received thing holds of our limits until channel::let_go(). Copyable; give each back
/// once.
struct charge {
  enum class account : std::uint8_t { none, messages, rows, answers };
  std::uint64_t bytes = 0;
  std::uint64_t id = 0;
  account to = account::none;
  /// The message went beyond the credit (section 3 rule 4).
  bool advanced = false;
  explicit operator bool() const noexcept { return to != account::none; }
};

/// One whole thing that arrived; pieces are joined. Kinds: message, request, subscribe, reply,
/// failure, progress, accepted, row, end, and cancel of a request or subscription of the peer that
/// we have not answered yet.
struct arrival {
  kind what = kind::message;
  std::uint64_t id = 0;
  /// The body. Lent for the call of sink::arrived() unless `whole` is set, which then owns it.
  base::bytes body;
  /// Set for bodies that were joined from pieces: keep this instead of copying.
  base::ref<base::block> whole;
  std::vector<base::fd> attachments;
  /// Our own descriptor table was full, so some are missing: this message fails alone, with that
  /// reason.
  bool lost_attachments = false;
  /// reply, failure, end and progress: nothing came, the answer did not fit beside those that
  /// nobody has taken
  /// ("replies_not_taken"; `what` is failure, the body is empty).
  bool not_taken = false;
  /// CLOCK_BOOTTIME, absolute; absent when the peer gave none or lives in another time namespace.
  std::optional<std::uint64_t> deadline;
  std::optional<std::uint64_t> sequence, flow, row_credit;
  cancel_reason reason = cancel_reason::stopped;
  /// Answers and rows: what send() was given with the request (final answers hand it over, others
  /// share it).
  base::ref<base::counted> context;
  charge held;
};

/// Why a channel is over.
struct closing {
  enum class reason : std::uint8_t {
    peer_gone,     ///< end of stream without a close frame: the process died or left without a word
    peer_closed,   ///< a close frame; text says why
    peer_refused,  ///< a refusal; code, may_retry, moved, text
    we_refused,    ///< its hello did not suit us; text says what
    protocol_error,  ///< the peer broke the protocol; text says where
    not_taken,       ///< the peer does not read: cut off
    hello_late,      ///< accepting side: no hello in time
    cancelled,       ///< channel::cancel()
    closed,          ///< channel::close(), and everything has left
    forked,          ///< we are a child of the process that made the channel
    system_error,    ///< the socket failed in a way that is nobody's fault; text says how
  };
  reason why = reason::peer_gone;
  /// The hello exchange was complete. If not, nothing was said yet.
  bool opened = false;
  std::uint32_t code = 0;
  bool may_retry = false, moved = false;
  std::string text;
};

/// What became of a request or subscription that gets no answer any more.
enum class fate : std::uint8_t {
  not_accepted,     ///< its last packet never left: the peer has not seen it, it may be sent again
  outcome_unknown,  ///< it left, whether it was carried out nobody knows
  too_large,        ///< beyond the peer's limits, which were not known when it was queued; not sent
};

/// Receives what a channel has to say. All calls of one channel come one after the other, from
/// whichever thread holds its reader role, with no lock of the channel held. A call must not block
/// and must not run handlers; it may call any member of the channel. None is ever made from inside
/// a member of the channel but wait() (others leave it to the engine).
class sink : public base::counted {
 public:
  /// Both hellos are exchanged. First call, at most once.
  virtual void opened(const peer_info& peer) = 0;
  /// The hello exchange failed on a connecting channel in a way that may be repeated (end of
  /// stream, ECONNRESET, EPIPE before it was complete, a refusal marked "moved"): the channel is
  /// detached again and its queue is untouched. The sink now calls channel::attach() with a new
  /// transport, at once or later, or cancel().
  virtual void not_opened(const closing& how) = 0;
  virtual void arrived(arrival&& what) = 0;
  /// There is room again for somebody who was told would_block. 0: messages, requests, subscribes;
  /// else that subscription's rows.
  virtual void writable(std::uint64_t id) = 0;
  /// Once for each sent::answers_wait: half of what had to wait or more has left. It may come
  /// before that send() has returned.
  virtual void answers_left() {}
  /// The channel is over for this reason; what it leaves unanswered is told next, then closed().
  virtual void ending(const closing&) {}
  /// A request or subscription of ours that will get no answer.
  virtual void unanswered(base::ref<base::counted> context, std::uint64_t id, fate how) = 0;
  /// After stop(): everything that the peer had sent until then has arrived. Answers in hand may
  /// still be sent; then close().
  virtual void drained() = 0;
  /// The last call, exactly once. Then the channel lets go of the sink.
  virtual void closed(const closing& how) = 0;
  /// After each batch, when the role has been given up: time to run what was scheduled meanwhile.
  /// `by_engine`: on this thread, an engine thread; otherwise this is a thread in wait(), which is
  /// about to return, and handlers belong on the engine.
  virtual void role_given_up(bool by_engine) = 0;
};

}  // namespace openxpc::channel
