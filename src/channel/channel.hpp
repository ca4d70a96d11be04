#pragma once

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/ref.hpp"
#include "channel/outgoing.hpp"
#include "channel/sink.hpp"
#include "channel/transport.hpp"
#include "channel/waiter.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace openxpc::channel {

/// What came of wait().
enum class waited : std::uint8_t { finished, timed_out, closed };

/// One conversation with one other process: carries (bytes, descriptors), each kind in its order,
/// says who is at the other end, gives back-pressure. Knows nothing of what the bytes mean.
/// docs/design/channel.md is the protocol.
///
/// Life: make() → attach() (again after sink::not_opened()) → sink::opened() → … → sink::closed().
/// Sending is possible from make() on; what is sent before the hello waits. Threads: every member
/// from any thread. No member but wait() blocks or calls the sink.
class channel : public base::counted {
 public:
  static base::ref<channel> make(side which, settings limits, base::ref<sink> up);

  /// Gives the channel its wire and begins: the accepting side sends its hello, the connecting side
  /// waits for it.
  virtual void attach(std::unique_ptr<transport> wire) = 0;

  /// Sends, or queues in order. With an empty outbox the frame leaves from the caller's memory: one
  /// system call, no copy. Messages and rows that follow one another within some 50 µs gather and
  /// leave packed, at most 200 µs later.
  virtual sent send(outgoing&& what) = 0;

  /// Blocks until finish(waiter), the deadline, or the end of the channel; reads for everybody
  /// meanwhile if nobody else does. finished wins over the others. Thread cancellation is off while
  /// it waits. Called on an engine thread, it first moves the loop elsewhere.
  virtual waited wait(waiter& who, base::instant deadline) = 0;
  /// The waiter has what it waits for. Usually called by sink::arrived(); any thread may. The
  /// waiter may be gone when this returns.
  virtual void finish(waiter& who) = 0;

  /// Gives back what an arrival held; makes the peer's credit grow.
  virtual void let_go(const charge& held) = 0;

  /// Calls `then` when every message, request, subscribe, row and reply queued before it has left
  /// or was dropped; at once, through the engine, if there is none. Runs on an engine thread; must
  /// not block.
  virtual void barrier(base::function<void()> then) = 0;

  /// A request or subscription is no longer wanted. `swallow`: its answers are dropped and counted
  /// from now on and the context is let go; otherwise they still arrive.
  virtual withdrawn withdraw(std::uint64_t id, cancel_reason why, bool swallow) = 0;

  /// Planned stop: takes nothing new from the peer (it gets EPIPE), reads what it had sent, then
  /// sink::drained(). Our own open requests fail at once; answers can still be sent.
  virtual void stop() = 0;
  /// Sends what is queued, then a close frame with that text, then ends.
  virtual void close(std::string text) = 0;
  /// Ends at once; what is queued is dropped and counted. sink::closed() follows from the engine
  /// (reason cancelled).
  virtual void cancel(std::string text) = 0;
  /// Accepting side, before or instead of everything else: sends a refusal and ends.
  virtual void refuse(std::uint32_t code, bool may_retry, bool moved, std::string text) = 0;
  /// The peer broke a rule of the layer above: ends at once, reason protocol_error.
  virtual void fail_protocol(std::string text) = 0;

  /// Null until sink::opened().
  virtual const peer_info* peer() const noexcept = 0;
  /// How much waits in the outbox.
  virtual std::uint64_t unsent_bytes() const = 0;
  virtual counters count() const = 0;

 protected:
  channel() = default;
  ~channel() override = default;
};

}  // namespace openxpc::channel
