#pragma once

#include "base/fd.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

// The memory that two processes share for a pair of rings: one page of positions, then the bytes of
// both directions. The peer may write anything into it at any moment.
namespace openxpc::channel {

/// The positions of one direction, as they lie in shared memory. Positions count bytes since the
/// start and never go back.
struct ring_positions {
  /// Published by the writer; with `reader_stopped` set by the reader, who takes nothing more.
  alignas(64) std::atomic<std::uint64_t> written;
  /// Published by the reader.
  alignas(64) std::atomic<std::uint64_t> taken;
  /// What the reader does: a `rest` (ring.hpp). Also the word it sleeps on.
  std::atomic<std::uint32_t> reader_rests;
  /// Set by a writer that found no room, cleared by the reader that tells it.
  std::atomic<std::uint32_t> wants_room;
};
static_assert(sizeof(ring_positions) == 128 && offsetof(ring_positions, taken) == 64 &&
              offsetof(ring_positions, reader_rests) == 72 &&
              offsetof(ring_positions, wants_room) == 76);
inline constexpr std::uint64_t reader_stopped = std::uint64_t{1} << 63;
inline constexpr std::size_t ring_bytes = 32768;

/// Both directions, mapped. Not in children: a forked child has no ring.
class ring_memory {
 public:
  /// New memory whose size nobody can change. Null with errno where the system has none.
  static std::unique_ptr<ring_memory> make() noexcept;
  /// The memory that a peer made. Null with errno when it cannot be mapped, EPROTO when it is not
  /// such memory: a wrong size, or a size that could change while we read. Never waits for whoever
  /// is behind the descriptor.
  static std::unique_ptr<ring_memory> map(const base::fd& made_by_peer) noexcept;
  ~ring_memory();
  ring_memory(const ring_memory&) = delete;
  ring_memory& operator=(const ring_memory&) = delete;

  /// What the peer has to map; only until forget_file().
  int borrowed_fd() const noexcept { return file_.get(); }
  void forget_file() noexcept { file_.reset(); }
  /// Direction 0 is the one of who made the memory.
  ring_positions& positions(unsigned direction) const noexcept;
  std::byte* bytes(unsigned direction) const noexcept;

 private:
  explicit ring_memory(std::byte* at) noexcept : at_(at) {}
  static std::unique_ptr<ring_memory> mapped(const base::fd& file) noexcept;

  base::fd file_;
  std::byte* at_;
};

}  // namespace openxpc::channel
