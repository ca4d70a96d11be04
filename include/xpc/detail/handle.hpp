#pragma once

#include <xpc/openxpc/types.h>

#include <utility>

namespace xpc::detail {

/// A counted reference to an XPC object, or none.
class handle {
 public:
  handle() noexcept = default;
  handle(const handle& other) noexcept : at_(other.at_) {
    if (at_) xpc_retain(at_);
  }
  handle(handle&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  handle& operator=(handle other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~handle() {
    if (at_) xpc_release(at_);
  }

  /// Takes over a reference that the caller owns.
  static handle adopt(xpc_object_t owned) noexcept {
    handle made;
    made.at_ = owned;
    return made;
  }
  /// Adds a reference to something lent.
  static handle share(xpc_object_t borrowed) noexcept {
    if (borrowed) xpc_retain(borrowed);
    return adopt(borrowed);
  }
  /// Hands the reference over to the caller.
  [[nodiscard]] xpc_object_t release() noexcept { return std::exchange(at_, nullptr); }
  xpc_object_t get() const noexcept { return at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }

 private:
  xpc_object_t at_ = nullptr;
};

}  // namespace xpc::detail
