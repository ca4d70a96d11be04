#pragma once

#include "base/bytes.hpp"
#include "base/spare_blocks.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace openxpc::base {

/// A byte buffer that grows at its end and never initialises what it grows by. Move-only. Throws
/// bad_alloc.
class buffer {
 public:
  buffer() noexcept = default;
  explicit buffer(std::size_t capacity_bytes) { reserve(capacity_bytes); }
  buffer(buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  buffer& operator=(buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~buffer() {
    if (capacity_ >= spare_least_bytes) [[unlikely]]
      give_block(data_, capacity_);
    else
      std::free(data_);
  }

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }
  bytes view() const noexcept { return {data_, size_}; }

  void clear() noexcept { size_ = 0; }
  /// Sets the size; bytes beyond the old size are whatever memory held. Keeps capacity.
  void resize(std::size_t size) {
    if (size > capacity_) [[unlikely]]
      grow(size);
    size_ = size;
  }
  void reserve(std::size_t capacity_bytes) {
    if (capacity_bytes <= capacity_) return;
    if (capacity_bytes >= spare_least_bytes) [[unlikely]]
      return reserve_large(capacity_bytes);
    void* grown = std::realloc(data_, capacity_bytes);
    if (!grown) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(grown);
    capacity_ = capacity_bytes;
  }
  /// Grows by `count` bytes and returns where they start.
  std::byte* extend(std::size_t count) {
    std::size_t at = size_;
    resize(size_ + count);
    return data_ + at;
  }
  void append(bytes more) {
    if (!more.empty()) std::memcpy(extend(more.size()), more.data(), more.size());
  }
  /// Appends zeros until the size is a multiple of `to`.
  void pad(std::size_t to) {
    std::size_t count = round_up(size_, to) - size_;
    if (count) std::memset(extend(count), 0, count);
  }

 private:
  [[gnu::noinline]] void reserve_large(std::size_t capacity_bytes) {
    const memory_block grown = grow_block({data_, capacity_}, size_, capacity_bytes);
    if (!grown.at) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(grown.at);
    // The destructor gives it back, which the analyzer does not always see.
    capacity_ = grown.size_bytes;  // NOLINT(clang-analyzer-unix.Malloc)
  }
  [[gnu::noinline, gnu::cold]] void grow(std::size_t size) {
    reserve(size > 2 * capacity_ ? size : 2 * capacity_);
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace openxpc::base
