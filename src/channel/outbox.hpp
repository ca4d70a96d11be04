#pragma once

#include "base/function.hpp"
#include "channel/credit.hpp"
#include "channel/ledger.hpp"
#include "channel/outgoing.hpp"
#include "channel/parcel.hpp"
#include "channel/sink.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace openxpc::channel {

/// What the peer's hello allows us.
struct peer_limits {
  std::uint64_t message_bytes = 0, credit_bytes = 0;
  std::uint32_t unanswered_count = 0, packet_bytes = 0, attachments = 0;
};

/// Everything that waits to leave, and the order in which it does: lanes, credit, pieces, packing.
/// docs/design/channel.md sections 1 and 3. Pure: no socket, no clock, no thread; the channel calls
/// it under its lock and does the sending.
///
/// A frame is either *direct* (nothing is in its way: the channel sends it from the caller's memory
/// and reports with direct_left(), or keep_direct() when the wire is full) or queued. At most one
/// packet is under way: pack() fills it, packet_left() takes note.
class outbox {
 public:
  outbox(ledger& calls, std::uint64_t unsent_limit) noexcept;

  /// What has to be told to the sink about requests that cannot be carried out.
  struct lost_call {
    std::uint64_t id;
    base::ref<base::counted> context;
    fate how;
  };
  using lost_calls = std::vector<lost_call>;

  // -- putting in --

  enum class route : std::uint8_t { direct, queued, refused };
  struct admitted {
    route how = route::refused;
    sent::outcome why = sent::outcome::closed;  ///< of a refusal
    std::uint64_t id = 0;
    std::uint32_t epoch = 0;
    std::uint64_t size = 0;     ///< direct: of the frame
    bool answers_wait = false;  ///< see sent
  };
  /// Takes something to send: gives it its id, charges it, and queues it unless it may leave at
  /// once.
  /// @param may_be_direct  the wire is free and the caller is ready to send.
  admitted put(outgoing& what, bool may_be_direct);
  void direct_left(const outgoing& what, const admitted& how);
  /// The wire was full after all: the frame becomes the packet under way. False if its descriptors
  /// could not be duplicated (then it is as if it had not been put).
  bool keep_direct(outgoing& what, const admitted& how);

  void put_credit(std::uint64_t id, std::uint64_t total);
  void put_close(std::string text);
  /// @param let_go  gets the context if it is not needed any more: to be destroyed without a lock.
  withdrawn withdraw(std::uint64_t id, cancel_reason why, bool swallow,
                     base::ref<base::counted>& let_go);
  /// The subscriber is gone: its rows are dropped, only the final answer still leaves.
  void drop_rows(row_stream& of);
  /// The epoch ends here; `then` is in take_released() when all before it is done.
  void barrier(base::function<void()> then);

  // -- leaving --

  /// The peer's hello has come: frames may leave now.
  void open(const peer_limits& theirs, lost_calls& too_large);
  bool is_open() const noexcept { return open_; }
  /// Nothing is queued and no packet is under way.
  bool idle() const noexcept;
  /// Fills the packet under way with what may leave now. False: there is nothing that may. Not
  /// while one is under way.
  bool pack();
  bool packet_under_way() const noexcept { return !packet_.empty(); }
  packet& under_way() noexcept { return packet_; }
  void packet_left();
  /// Nothing leaves any more (EPIPE, or the end): drops everything; what was not accepted is told.
  void stop_sending(lost_calls& lost);
  bool stopped() const noexcept { return stopped_; }
  bool closing() const noexcept { return closing_; }
  /// The close frame is in a packet, left or under way.
  bool close_said() const noexcept { return closing_ && close_text_.empty(); }
  /// The end: every call that is still open gets no answer.
  void lose_all(lost_calls& lost);
  /// Planned stop: our own requests and all that waits for credit fail; rows that lack credit are
  /// dropped.
  void stop_waiting_for_credit(lost_calls& lost);

  // -- what the peer says --

  /// False: a protocol error.
  [[nodiscard]] bool granted(std::uint64_t total) noexcept { return credit_.grant(total); }
  [[nodiscard]] bool rows_granted(row_stream& of, std::uint64_t total);
  /// The final answer to a call of ours has come; its place at the peer is free.
  void answered() noexcept;

  // -- what the channel asks --

  std::uint64_t unsent_bytes() const noexcept { return unsent_; }
  std::uint64_t unsent_answer_bytes() const noexcept { return unsent_answers_; }
  /// Bytes of one-way frames that wait to be packed; how much coalescing has gathered.
  std::uint64_t gathered_bytes() const noexcept { return gathered_; }
  /// Nothing waits but such frames.
  bool only_gathered() const noexcept {
    return queued_count_ == run_count_ && controls_.empty() && packet_.empty() &&
           close_text_.empty();
  }
  /// Barriers that are due, in order. Call them without a lock.
  std::vector<base::function<void()>> take_released() { return std::exchange(released_, {}); }
  /// Ids for sink::writable().
  std::vector<std::uint64_t> take_writable();
  /// True when sink::answers_left() is due.
  bool take_answers_left() noexcept;
  bool has_news() const noexcept { return !released_.empty() || room_changed_ || answers_left(); }
  const counters& counts() const noexcept { return counts_; }

 private:
  enum class emitted : std::uint8_t { done, piece, no_credit, no_room };
  enum class lane_kind : std::uint8_t { answers, calls, rows };
  struct control {
    kind what;
    std::uint64_t id;
    std::uint64_t value;
  };
  struct epoch_count {
    std::uint64_t open = 0;
    base::function<void()> then;
  };

  /// What a frame takes; found once for all that ask.
  struct measure {
    std::uint64_t size, weight;  // in the packet; with its descriptors, as credit counts it
    std::uint64_t worst;         // the weight if it has to leave in pieces
  };

  // outbox.cpp: putting in
  measure measure_of(const outgoing& what) const noexcept;
  sent::outcome judge(const outgoing& what, const measure& takes,
                      const served_call* of) const noexcept;
  bool has_room(const outgoing& what, const measure& takes, served_call* of) noexcept;
  bool fits_directly(const outgoing& what, const measure& takes,
                     const served_call* of) const noexcept;
  lane& lane_of(kind what, served_call* of) noexcept;
  std::unique_ptr<parcel> make_parcel(outgoing& what);
  void append_to_run(const outgoing& what, const measure& takes, lane& to);
  void undo_direct(outgoing& what, const admitted& how);
  void account(outgoing& what, const measure& takes, served_call* of, admitted& how);
  void join_round(row_stream& of);

  // limits.cpp: what the peer takes
  std::uint64_t bytes_in_pieces(const outgoing& what) const noexcept;
  std::uint64_t whole_most_bytes() const noexcept { return peer_.credit_bytes / 4 * 3; }
  unsigned piece_attachments(lane_kind of) const noexcept;
  bool too_large(kind what, std::size_t body, std::size_t attachments) const noexcept;
  bool too_many(lane_kind of, std::size_t body, std::size_t attachments) const noexcept;

  // dropping.cpp: what never leaves
  void epoch_done(std::uint32_t number, std::uint64_t count);
  void retire(std::unique_ptr<parcel> what);
  void drop(std::unique_ptr<parcel> what);
  void drop_lane(lane& of);
  void drop_progress(std::uint64_t id);
  void lose(std::uint64_t id, fate how, lost_calls& lost);
  void note_room() noexcept;

  // packing.cpp: leaving
  void pack_controls();
  bool pack_lane(lane& from, lane_kind which, row_stream* of, std::size_t quantum_bytes);
  void pack_round();
  void pack_close();
  emitted emit(lane& from, lane_kind which, row_stream* of);
  emitted emit_run(parcel& what, lane_kind which, row_stream* of);
  emitted emit_frame(parcel& what, lane_kind which, row_stream* of);
  void take_note(parcel& what, bool last_piece);
  std::size_t room() const noexcept;
  bool answers_left() const noexcept {
    return answers_wait_ && unsent_answers_ <= unsent_limit_ / 2;
  }

  ledger& calls_;
  std::uint64_t unsent_limit_;
  peer_limits peer_;
  credit_spender credit_;
  bool open_ = false, stopped_ = false, closing_ = false, no_more_credit_ = false;
  bool room_changed_ = false, wants_room_ = false, answers_wait_ = false;
  std::vector<control> controls_;
  lane answers_, requests_;
  /// Streams with something that credit allows; the lane of messages and requests takes its turn
  /// between them.
  std::vector<row_stream*> round_;
  std::size_t turn_ = 0;
  row_stream* continued_row_ = nullptr;
  std::string close_text_;
  packet packet_;
  /// Epochs that are not done, for barriers; the last one is where things are put.
  std::vector<epoch_count> epochs_ = std::vector<epoch_count>(1);
  std::uint32_t first_epoch_ = 0;
  std::size_t queued_count_ = 0, run_count_ = 0;
  std::uint64_t unsent_ = 0, unsent_answers_ = 0, gathered_ = 0;
  std::unique_ptr<parcel> spare_run_;
  std::vector<base::function<void()>> released_;
  counters counts_;
};

}  // namespace openxpc::channel
