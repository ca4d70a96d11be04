#pragma once

#include "base/bytes.hpp"
#include "channel/ring/memory.hpp"

#include <sys/uio.h>

#include <chrono>
#include <span>

// A ring of records with one writer and one reader in two processes. A record is whole or not there
// at all; it is copied out before anybody looks at it (threat T43). Each end keeps its own position
// and believes the other's only as far as it is possible.
namespace openxpc::channel {

/// What the reader is doing when it does not read.
enum class rest : std::uint32_t {
  none,   ///< it will look again by itself
  sleep,  ///< it sleeps on the word
  poll,   ///< it polls, and has to be rung for by other means
};

class ring_writer {
 public:
  enum class result : std::uint8_t {
    done,
    full,     ///< nothing; told by the reader's ring_reader::room_is_wanted() once there is room
    stopped,  ///< nothing, and never again: the reader takes no more
    broken,   ///< nothing: the peer wrote positions that cannot be
  };
  /// The longest packet that may be put.
  static constexpr std::size_t packet_most_bytes = ring_bytes / 4;

  /// Nothing but assignment is allowed before there is memory.
  ring_writer() noexcept = default;
  ring_writer(const ring_memory& in, unsigned direction) noexcept
      : at_(&in.positions(direction)), bytes_(in.bytes(direction)) {}

  /// A packet of these bytes.
  result put(std::span<const iovec> parts, std::size_t size) noexcept;
  /// Whether note() will find room. Asks to be told, like put(), when not.
  result room_for_note() noexcept { return room_for(record_head_bytes); }
  /// A record that says that the next packet goes another way. Precondition: room_for_note().
  result note() noexcept;
  /// Wakes a reader that sleeps. True: it polls, and has to be rung for.
  bool wake() noexcept;

 private:
  friend class ring_reader;
  static constexpr std::size_t record_head_bytes = 8;
  static constexpr std::uint32_t is_note = 0xffffffff;

  result room_for(std::size_t size) noexcept;
  void copy_in(std::uint64_t position, const void* from, std::size_t size) noexcept;
  result publish(std::uint64_t size) noexcept;

  ring_positions* at_ = nullptr;
  std::byte* bytes_ = nullptr;
  std::uint64_t written_ = 0, taken_ = 0;  // our own count; what the reader said last
};

class ring_reader {
 public:
  enum class found : std::uint8_t {
    nothing,
    packet,
    note,     ///< the next packet comes another way
    stopped,  ///< nothing, and nothing will come: stop() was called
    broken,   ///< the peer wrote what cannot be
  };

  /// Nothing but assignment is allowed before there is memory.
  ring_reader() noexcept = default;
  ring_reader(const ring_memory& in, unsigned direction) noexcept
      : at_(&in.positions(direction)), bytes_(in.bytes(direction)) {}

  /// The next record. A packet is copied to `into`, at most as much as fits there, and `size` is
  /// what it has.
  found take(std::span<const iovec> into, std::size_t& size) noexcept;
  /// Whether take() would find nothing.
  bool empty() const noexcept;

  // Resting: say so, look whether the writer wants room, rest.
  /// From now on the writer wakes (rest::sleep) or rings (rest::poll) when it has written.
  void announce(rest how) noexcept;
  /// After announce(sleep): sleeps until there is something, until wake_here(), or for about
  /// `at_most`. False: only the time went by.
  bool sleep(std::chrono::nanoseconds at_most) noexcept;
  /// After announce(poll): takes it back. True when the writer has rung, or is about to.
  bool end_polling() noexcept;
  /// Ends a sleep() of another thread.
  void wake_here() noexcept;
  /// Nothing more is taken from the writer, whose put() fails from now on; what is there already
  /// can be taken. Any thread.
  void stop() noexcept;
  /// Whether the writer found no room and has to be told; true once. Ask between announcing a rest
  /// and resting.
  bool room_is_wanted() noexcept;

 private:
  void copy_out(std::span<const iovec> into, std::uint64_t position, std::size_t size) noexcept;

  ring_positions* at_ = nullptr;
  const std::byte* bytes_ = nullptr;
  std::uint64_t taken_ = 0;
};

}  // namespace openxpc::channel
