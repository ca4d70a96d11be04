#pragma once

#include "base/buffer.hpp"
#include "base/ref.hpp"

#include <atomic>
#include <memory>

namespace openxpc::base {

/// Constant bytes that several owners share, e.g. a received message and the views into it.
class block {
 public:
  /// One allocation that holds the count and a copy of the bytes.
  static ref<block> copy_of(bytes content) {
    void* memory = ::operator new(sizeof(block) + content.size());
    auto* made = new (memory) block(content.size());
    if (!content.empty()) std::memcpy(made->inline_bytes(), content.data(), content.size());
    made->at_ = made->inline_bytes();
    return ref<block>::adopt(made);
  }
  /// Keeps the buffer as it is: no copy.
  static ref<block> own(buffer&& content) {
    void* memory = ::operator new(sizeof(block));
    auto* made = new (memory) block(content.size());
    made->kept_ = std::move(content);
    made->at_ = made->kept_.data();
    return ref<block>::adopt(made);
  }

  bytes view() const noexcept { return {at_, size_}; }
  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    this->~block();
    ::operator delete(const_cast<block*>(this));
  }

 private:
  explicit block(std::size_t size) noexcept : size_(size) {}
  ~block() = default;
  std::byte* inline_bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

  mutable std::atomic<std::uint32_t> count_{1};
  std::size_t size_;
  const std::byte* at_ = nullptr;
  buffer kept_;
};

}  // namespace openxpc::base
