#pragma once

#include "base/buffer.hpp"
#include "base/fd.hpp"
#include "channel/credit.hpp"
#include "channel/hello.hpp"
#include "channel/ledger.hpp"
#include "channel/outbox.hpp"
#include "channel/sink.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::channel {

/// Everything that arrives after the hellos: takes packets apart, joins pieces, and holds the peer
/// to the protocol and to our limits (docs/design/channel.md sections 1 and 3). Pure; called under
/// the lock of the channel by the holder of the reader role. Nothing is allocated by an announced
/// size: buffers grow by what has really come (threat T42).
class inbox {
 public:
  inbox(ledger& calls, outbox& answers, const settings& limits) noexcept;

  /// Whether deadlines of the peer mean anything here.
  void set_same_clock(bool same) noexcept { same_clock_ = same; }

  /// How a packet ended.
  struct outcome {
    /// The peer broke the protocol; what was taken before the fault is still good.
    std::optional<std::string> fault;
    /// A close frame, and its text.
    std::optional<std::string> closed;
    std::optional<refusal> refused;
    bool over() const noexcept { return fault || closed || refused; }
  };
  /// Takes one packet.
  /// @param attachments  what came with it, in order; used up.
  /// @param attachments_lost  our descriptor table was full: some are missing at the end.
  /// @param out  whole things are appended; bodies may borrow the packet.
  /// @param rubbish  descriptors nobody will have; to be closed where that may block (F16).
  outcome take(base::bytes packet, std::vector<base::fd>& attachments, bool attachments_lost,
               std::vector<arrival>& out, std::vector<base::fd>& rubbish);

  /// Where the body of the next piece may be received at once, without a copy: behind what has come
  /// of an open message. Empty when none is open. Grows with what has come, not with what is
  /// announced. Only by the holder of the reader role; valid until the next take().
  std::span<std::byte> landing();
  /// A packet whose first header_bytes were received into `head` and whose rest went to landing().
  /// False: it is not just the next piece; then the rest has to be put behind the head and given to
  /// take(). True: it was taken.
  bool take_landed(base::bytes head, std::size_t size, std::vector<base::fd>& attachments,
                   bool attachments_lost, std::vector<arrival>& out, std::vector<base::fd>& rubbish,
                   outcome& end);

  /// An arrival's bytes are done with: credit, or room for answers.
  void let_go(const charge& held);
  /// The same for an answer; needs no lock.
  void let_go_answer(const charge& held) noexcept {
    answers_held_.fetch_sub(held.bytes, std::memory_order_relaxed);
  }

  const counters& counts() const noexcept { return counts_; }

 private:
  /// A message of which not all pieces have come.
  struct assembly {
    bool open = false;
    bool discard = false;   ///< counted, not stored
    bool no_room = false;   ///< an answer beyond what may be held untaken
    bool advanced = false;  ///< goes beyond the credit (rule 4)
    bool lost_attachments = false;
    kind what = kind::message;
    std::uint64_t id = 0;
    extensions extra;
    base::buffer body;
    std::vector<base::fd> attachments;
    std::uint64_t body_bytes = 0;  ///< counted against message_bytes
    std::uint64_t counted = 0;     ///< counted against credit
  };
  struct cursor;
  assembly* open_for_landing() noexcept;
  void finish_packet(cursor& at);

  using fault = const char*;  // what the peer did wrong, or null
  fault take_frame(const frame& what, cursor& at);
  fault take_body(const frame& what, cursor& at);
  fault take_control(const frame& what, cursor& at);
  fault first_piece(const frame& what, issued_call* call);
  [[gnu::cold]] fault too_many_unanswered();
  fault admit(const frame& what, issued_call* call);
  fault take_cancel(const frame& what, cursor& at);
  fault take_credit(const frame& what);
  fault take_stream_mark(const frame& what, cursor& at);
  fault store(assembly& into, const frame& what, issued_call* call, cursor& at);
  void take_attachments(const frame& what, cursor& at, std::vector<base::fd>& to, bool& lost);
  fault deliver(cursor& at, issued_call* call, std::uint64_t counted, bool advanced, bool no_room);
  fault check_sequence(issued_call& call, const extensions& extra, bool required);
  void finish_call(cursor& at, issued_call* call);
  void discard(assembly& what, cursor& at);
  void announce();
  void advance(assembly& what, std::uint64_t bytes);
  assembly* slot_of(kind what) noexcept;
  void strip(arrival& what) const noexcept;

  ledger& calls_;
  outbox& answers_;
  std::uint64_t message_bytes_;
  std::uint32_t unanswered_count_, attachments_;
  std::size_t packet_bytes_;
  credit_giver credit_;
  bool advanced_in_use_ = false;
  bool same_clock_ = false;
  std::atomic<std::uint64_t> answers_held_{0};
  assembly call_, answer_, row_;
  assembly* last_stored_ = nullptr;
  counters counts_;
  std::string fault_text_;  // of a fault that has to be spelt out
};

}  // namespace openxpc::channel
