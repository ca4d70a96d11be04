#pragma once

#include "base/mutex.hpp"
#include "channel/channel.hpp"
#include "channel/greeting.hpp"
#include "channel/inbox.hpp"
#include "channel/ledger.hpp"
#include "channel/outbox.hpp"
#include "channel/reader_role.hpp"
#include "engine/registration.hpp"
#include "engine/timer.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace openxpc::channel {

/// The doing around the machines: one lock, one wire, and the rules when which of them is used.
///
/// - `lock_` guards everything but the sink's calls and the system calls of sending and receiving.
/// - The *reader role* (reader_role.hpp) says who receives and who calls the sink. All calls
/// upward, also those that another thread's action
///   caused, are made by its holder, or by the engine taking it for that purpose.
/// - `writing_` says that a thread is sending; who comes meanwhile queues, and the writer takes it
/// along.
/// - After a full wire (`blocked_`) only the holder tries again, when the wire says that there is
/// room.
/// - The end: whoever finds a reason calls begin_end(), which hangs the wire up; the holder then
/// performs the finale.
class channel_body final : public channel {
 public:
  channel_body(side which, settings limits, base::ref<sink> up);

  void attach(std::unique_ptr<transport> wire) override;
  sent send(outgoing&& what) override;
  waited wait(waiter& who, base::instant deadline) override;
  void finish(waiter& who) override;
  void let_go(const charge& held) override;
  void barrier(base::function<void()> then) override;
  withdrawn withdraw(std::uint64_t id, cancel_reason why, bool swallow) override;
  void stop() override;
  void close(std::string text) override;
  void cancel(std::string text) override;
  void refuse(std::uint32_t code, bool may_retry, bool moved, std::string text) override;
  void fail_protocol(std::string text) override;
  const peer_info* peer() const noexcept override;
  std::uint64_t unsent_bytes() const override;
  counters count() const override;

  /// The registration fired (engine threads).
  void ready(std::uint32_t events);

 private:
  using locked = std::unique_lock<base::mutex>;
  using why = closing::reason;
  /// What a step of reading came to.
  enum class heard : std::uint8_t { much, little, nothing, over };

  // body.cpp
  bool dead_by_fork() const noexcept;
  // sending.cpp
  bool may_gather(const outgoing& what) noexcept;
  void flush(locked& hold);
  bool flush_due() const noexcept;
  send_result transmit(locked& hold, std::span<const iovec> parts, std::span<const int> fds,
                       bool credentials);
  [[gnu::cold]] void wire_refused(locked& hold, send_result how);
  send_result send_greeting(locked& hold);
  void want_room(locked& hold);
  void schedule_flush(base::instant when);
  bool must_be_taken() const noexcept;
  void watch_untaken();
  void timer_ran_out();
  void cut_timer_ran_out();
  // reading.cpp
  heard receive_one(locked& hold);
  received receive_unlocked(transport& wire, bool patiently = false);
  heard take_received(locked& hold, received& how, int error);
  heard take_packet(locked& hold, base::bytes packet, received& how);
  [[gnu::cold]] heard said_to_end(locked& hold, inbox::outcome& end);
  [[gnu::cold]] void take_greeting(locked& hold, base::bytes packet, received& how);
  [[gnu::cold]] void open(locked& hold, const hello& said, received& how);
  [[gnu::cold]] void stream_ended(locked& hold);
  [[gnu::cold]] void lose_wire_before_hello(locked& hold, closing how);
  // upcalls.cpp
  void ask_for_calls(locked& hold);
  bool calls_due() const noexcept;
  void make_calls(locked& hold);
  void engine_work();
  [[gnu::cold]] void begin_end(locked& hold, why reason, std::string text);
  [[gnu::cold]] void begin_end(locked& hold, closing how);
  [[gnu::cold]] void finale(locked& hold);
  void hand_over(locked& hold, waiter* who);
  void pass(locked& hold, reader_role::handed to);
  void arm(locked& hold, bool soon);
  static void wake_poller(waiter& who) noexcept;
  void read_many(locked& hold, const waiter* who, received* first = nullptr, int error = 0);
  // lingering.cpp
  bool calls_in_row(std::uint64_t packets) noexcept;
  void linger(const base::ref<sink>& up);
  // waiting.cpp
  bool read_as(locked& hold, waiter& who, base::instant deadline);

  const side side_;
  const settings limits_;
  const std::uint32_t generation_;
  mutable base::mutex lock_;
  base::ref<sink> up_;
  ledger calls_;
  outbox out_;
  inbox in_;
  reader_role role_;
  std::unique_ptr<transport> wire_;
  engine::registration registration_;
  base::buffer greeting_;            // hello or refusal that has to leave before everything else
  bool end_after_greeting_ = false;  // it is a refusal
  std::unique_ptr<peer_info> peer_;
  std::atomic<const peer_info*> told_peer_{nullptr};
  bool opened_ = false;
  bool writing_ = false, blocked_ = false;
  bool stopping_ = false, read_over_ = false, drained_due_ = false;
  bool ending_ = false, ended_ = false, finale_waits_ = false;
  bool calls_asked_ = false;
  closing how_;
  outbox::lost_calls lost_;
  engine::timer hello_timer_, pace_timer_, cut_timer_;
  bool pace_pending_ = false, retrying_ = false, cut_pending_ = false;
  std::uint64_t cut_seen_packets_ = 0;
  std::chrono::nanoseconds retry_after_{0};
  base::instant last_one_way_{};
  unsigned calls_in_row_ =
      0;                // synchronous callers that found nobody reading, since the engine last read
  bool eager_ = false;  // several packets at once are likely
  unsigned reads_ = 0;
  /// Packets that the engine found alone, each soon after the last one; below zero: not yet again.
  int in_row_ = 0;
  base::instant last_alone_{};
  bool lingers_ = false;       ///< an engine thread is in its patient receive
  bool kept_waiting_ = false;  ///< and somebody would have had something told
};

}  // namespace openxpc::channel
