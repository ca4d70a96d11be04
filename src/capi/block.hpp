#pragma once

#include <utility>

namespace openxpc::capi {

/// How clang lays a block out. The library is built by compilers without blocks; this file alone
/// knows.
struct block_layout {
  void* isa;
  int flags;
  int reserved;
  void (*invoke)();
  const void* descriptor;
};

/// Calls a block that somebody else keeps alive.
template <class R, class... A>
R call_block(void* borrowed, A... arguments) {
  auto* layout = static_cast<block_layout*>(borrowed);
  auto* invoke = reinterpret_cast<R (*)(void*, A...)>(layout->invoke);
  return invoke(borrowed, arguments...);
}

/// A copy of its own of a block (from the stack to the heap, or one more reference), and its end.
void* copy_block(void* borrowed) noexcept;
void release_block(void* owned) noexcept;

template <class>
class block;

/// An owned block. Move-only, so that it fits base::function; called from any thread, one after the
/// other. NULL stays empty.
template <class R, class... A>
class block<R(A...)> {
 public:
  block() noexcept = default;
  explicit block(void* borrowed) noexcept : held_(borrowed ? copy_block(borrowed) : nullptr) {}
  block(block&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  block& operator=(block&& other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~block() {
    if (held_) release_block(held_);
  }

  explicit operator bool() const noexcept { return held_ != nullptr; }
  R operator()(A... arguments) const { return call_block<R, A...>(held_, arguments...); }

 private:
  void* held_ = nullptr;
};

}  // namespace openxpc::capi
