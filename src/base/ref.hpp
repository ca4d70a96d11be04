#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace openxpc::base {

/// Counts references to itself; the last one deletes it. Starts with one reference, owned by the
/// maker.
class counted {
 public:
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// Takes a reference unless the last one is gone already: for lists that point to things without
  /// owning them.
  bool try_retain() const noexcept {
    auto count = count_.load(std::memory_order_relaxed);
    while (count != 0)
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    return false;
  }
  /// True when the caller's reference is the only one; then nobody else can take another.
  bool unique() const noexcept { return count_.load(std::memory_order_acquire) == 1; }

 protected:
  counted() noexcept = default;
  virtual ~counted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{1};
};

/// A reference to a T that counts itself (retain() and release()).
template <class T>
class ref {
 public:
  ref() noexcept = default;
  ref(std::nullptr_t) noexcept {}
  ref(const ref& other) noexcept : at_(other.at_) {
    if (at_) at_->retain();
  }
  ref(ref&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  ref(ref<U> other) noexcept : at_(other.release()) {}
  ref& operator=(ref other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~ref() {
    if (at_) at_->release();
  }

  /// Takes over a reference that the caller owns.
  static ref adopt(T* owned) noexcept {
    ref r;
    r.at_ = owned;
    return r;
  }
  /// Adds a reference of its own to something lent.
  static ref share(T* borrowed) noexcept {
    if (borrowed) borrowed->retain();
    return adopt(borrowed);
  }
  /// Hands the reference over to the caller.
  [[nodiscard]] T* release() noexcept { return std::exchange(at_, nullptr); }

  T* get() const noexcept { return at_; }
  T* operator->() const noexcept { return at_; }
  T& operator*() const noexcept { return *at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }
  friend bool operator==(const ref& a, const ref& b) noexcept { return a.at_ == b.at_; }

 private:
  T* at_ = nullptr;
};

template <class T, class... A>
ref<T> make_ref(A&&... arguments) {
  return ref<T>::adopt(new T(std::forward<A>(arguments)...));
}

}  // namespace openxpc::base
