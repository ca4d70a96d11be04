#include "channel/ring/ring.hpp"

#include "base/futex.hpp"
#include "base/sanitized.hpp"

#include <algorithm>
#include <cstring>

// Who rests says so and looks once more; who has written looks whether somebody rests. Both are
// sequentially consistent, so one of them sees the other.
namespace openxpc::channel {
namespace {

constexpr std::uint64_t mask = ring_bytes - 1;
static_assert((ring_bytes & mask) == 0);
constexpr std::uint32_t number(rest what) noexcept { return static_cast<std::uint32_t>(what); }

}  // namespace

// ---- The writer

ring_writer::result ring_writer::room_for(std::size_t size) noexcept {
  for (bool asked = false;; asked = true) {
    if (written_ - taken_ <= ring_bytes - size) return result::done;
    const std::uint64_t said = at_->taken.load(std::memory_order_seq_cst);
    if (said - taken_ > written_ - taken_) return result::broken;
    taken_ = said;
    if (written_ - taken_ <= ring_bytes - size) return result::done;
    if (asked) return result::full;
    at_->wants_room.store(1, std::memory_order_seq_cst);
  }
}

void ring_writer::copy_in(std::uint64_t position, const void* from, std::size_t size) noexcept {
  const std::size_t at = position & mask, first = std::min(size, ring_bytes - at);
  std::memcpy(bytes_ + at, from, first);
  if (first < size) std::memcpy(bytes_, static_cast<const std::byte*>(from) + first, size - first);
}

ring_writer::result ring_writer::publish(std::uint64_t size) noexcept {
  base::tell_published();
  std::uint64_t before = written_;
  if (!at_->written.compare_exchange_strong(before, written_ + size, std::memory_order_seq_cst))
    return before == (written_ | reader_stopped) ? result::stopped : result::broken;
  written_ += size;
  return result::done;
}

ring_writer::result ring_writer::put(std::span<const iovec> parts, std::size_t size) noexcept {
  const std::size_t whole = record_head_bytes + base::round_up(size, record_head_bytes);
  if (const result room = room_for(whole); room != result::done) return room;
  const std::uint64_t head = size;
  std::memcpy(bytes_ + (written_ & mask), &head, sizeof head);
  std::uint64_t at = written_ + record_head_bytes;
  for (const iovec& each : parts) {
    copy_in(at, each.iov_base, each.iov_len);
    at += each.iov_len;
  }
  return publish(whole);
}

ring_writer::result ring_writer::note() noexcept {
  const std::uint64_t head = is_note;
  std::memcpy(bytes_ + (written_ & mask), &head, sizeof head);
  return publish(record_head_bytes);
}

bool ring_writer::wake() noexcept {
  if (at_->reader_rests.load(std::memory_order_seq_cst) == number(rest::none)) return false;
  const std::uint32_t was = at_->reader_rests.exchange(number(rest::none));
  if (was == number(rest::sleep)) base::futex_wake_shared(at_->reader_rests);
  return was == number(rest::poll);
}

// ---- The reader

bool ring_reader::empty() const noexcept {
  return at_->written.load(std::memory_order_seq_cst) == taken_;
}

void ring_reader::copy_out(std::span<const iovec> into, std::uint64_t position,
                           std::size_t size) noexcept {
  for (const iovec& each : into) {
    const std::size_t part = std::min(size, each.iov_len);
    const std::size_t at = position & mask, first = std::min(part, ring_bytes - at);
    std::memcpy(each.iov_base, bytes_ + at, first);
    if (first < part)
      std::memcpy(static_cast<std::byte*>(each.iov_base) + first, bytes_, part - first);
    position += part;
    size -= part;
  }
}

ring_reader::found ring_reader::take(std::span<const iovec> into, std::size_t& size) noexcept {
  const std::uint64_t said = at_->written.load(std::memory_order_acquire);
  const std::uint64_t there = (said & ~reader_stopped) - taken_;
  if (there == 0) return said & reader_stopped ? found::stopped : found::nothing;
  base::tell_seen();
  if (there > ring_bytes || there % ring_writer::record_head_bytes != 0) return found::broken;
  std::uint64_t head;
  std::memcpy(&head, bytes_ + (taken_ & mask), sizeof head);
  std::uint64_t whole = ring_writer::record_head_bytes;
  if (head != ring_writer::is_note) {
    if (head == 0 || head > ring_writer::packet_most_bytes) return found::broken;
    whole += base::round_up(static_cast<std::size_t>(head), ring_writer::record_head_bytes);
    if (whole > there) return found::broken;
    size = static_cast<std::size_t>(head);
    copy_out(into, taken_ + ring_writer::record_head_bytes, size);
  }
  taken_ += whole;
  at_->taken.store(taken_, std::memory_order_release);
  return head == ring_writer::is_note ? found::note : found::packet;
}

void ring_reader::announce(rest how) noexcept {
  at_->reader_rests.store(number(how), std::memory_order_seq_cst);
}

bool ring_reader::sleep(std::chrono::nanoseconds at_most) noexcept {
  bool in_time = true;
  if (empty()) in_time = base::futex_wait_shared(at_->reader_rests, number(rest::sleep), at_most);
  at_->reader_rests.store(number(rest::none), std::memory_order_relaxed);
  return in_time;
}

bool ring_reader::end_polling() noexcept {
  return at_->reader_rests.exchange(number(rest::none)) != number(rest::poll);
}

void ring_reader::wake_here() noexcept {
  if (at_->reader_rests.exchange(number(rest::none)) == number(rest::sleep))
    base::futex_wake_shared(at_->reader_rests);
}

void ring_reader::stop() noexcept {
  at_->written.fetch_or(reader_stopped, std::memory_order_seq_cst);
  wake_here();
}

bool ring_reader::room_is_wanted() noexcept {
  return at_->wants_room.load(std::memory_order_seq_cst) != 0 && at_->wants_room.exchange(0) != 0;
}

}  // namespace openxpc::channel
