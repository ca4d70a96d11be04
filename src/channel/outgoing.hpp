#pragma once

#include "base/block.hpp"
#include "base/buffer.hpp"
#include "base/ref.hpp"
#include "channel/frame.hpp"

#include <cstdint>
#include <span>

// What a channel is given to send, what becomes of it, and what is counted.
namespace openxpc::channel {

/// What send() does when it would have to hold more than settings::unsent_bytes, or (rows) when
/// credit is out.
enum class when_full : std::uint8_t {
  queue,    ///< holds it all the same: answers, and rows that were counted elsewhere
  report,   ///< would_block, and sink::writable() later
  cut_off,  ///< the channel is closed as not_taken: senders that can neither wait nor be told
};

/// Something to send.
struct outgoing {
  kind what = kind::message;
  /// Answers, rows, progress, end, accepted: whose. 0 for message, request, subscribe.
  std::uint64_t id = 0;
  /// Lent for the call. What cannot leave at once is copied, or kept without a copy if one of the
  /// next two is given.
  base::bytes body;
  /// The buffer that `body` lies at the beginning of; it is moved away when the frame has to wait,
  /// left alone otherwise.
  base::buffer* movable = nullptr;
  /// An owner of the memory `body` lies in, e.g. one row for many subscribers.
  base::ref<base::block> shared;
  /// Descriptors, lent for the call; duplicated when they have to wait, unless
  /// `attachments_kept_by` keeps them open.
  std::span<const int> attachments;
  base::ref<base::counted> attachments_kept_by;
  extensions extra;
  /// request, subscribe: comes back with every answer.
  base::ref<base::counted> context;
  when_full full = when_full::queue;
};

struct sent {
  enum class outcome : std::uint8_t {
    left,         ///< the kernel has it
    queued,       ///< will leave in its order
    would_block,  ///< not taken; only with when_full::report
    closed,       ///< not taken: the channel is over, or the peer takes no more (planned stop)
    too_large,  ///< not taken: beyond the peer's message_bytes, or a row beyond its subscription's
                ///< initial credit
    too_many_attachments,  ///< not taken: beyond the peer's limit
    not_open,        ///< not taken: an answer or row for an id that is not (or no longer) open
    no_descriptors,  ///< not taken: attachments could not be duplicated (EMFILE)
  };
  outcome what = outcome::closed;
  /// The id a request or subscription got.
  std::uint64_t id = 0;
  /// With this answer more than settings::unsent_bytes of them wait for the peer to read. Said to
  /// one send(); one sink::answers_left() follows unless the channel ends.
  bool answers_wait = false;
  bool taken() const noexcept { return what <= outcome::queued; }
};

/// What came of a withdrawal.
enum class withdrawn : std::uint8_t {
  unsent,  ///< it never left; its id is forgotten, no answer will come
  asked,  ///< a cancel frame is under way; the final answer comes (or is swallowed, see withdraw())
  answered,  ///< too late: answered already, or no such id
};

/// Everything that happened to messages, rows and answers; nothing is dropped without a number.
struct counters {
  std::uint64_t messages_sent = 0, messages_received = 0;  ///< message, request, subscribe
  std::uint64_t rows_sent = 0, rows_received = 0;
  std::uint64_t answers_sent = 0, answers_received = 0;  ///< reply, failure, end
  std::uint64_t packets_sent = 0, packets_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t delayed = 0;         ///< had to wait in the outbox
  std::uint64_t refused = 0;         ///< send() said would_block, too_large, too_many_attachments
  std::uint64_t dropped_unsent = 0;  ///< queued and never left: the channel ended
  std::uint64_t dropped_late = 0;    ///< answers and rows nobody waited for any more
  std::uint64_t dropped_not_taken = 0;  ///< answers beyond what may be held untaken
  std::uint64_t lost_attachments = 0;
};

}  // namespace openxpc::channel
