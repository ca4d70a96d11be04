#pragma once

#include <dispatch/dispatch.h>

#include <atomic>
#include <cstdint>

namespace openxpc::dispatch {

class queue;

enum class kind : std::uint8_t { queue, group, semaphore, source, data };

/// What a dispatch_object_t points to.
class object {
 public:
  explicit object(kind what, bool counts = true) noexcept : what_(what), counted_(counts) {}
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  kind what() const noexcept { return what_; }

  /// The library's own references.
  void retain() noexcept;
  void release() noexcept;
  /// The program's, all of which together hold one of the library's.
  void retain_for_program(const char* caller) noexcept;
  void release_for_program(const char* caller) noexcept;

  virtual void activate() {}
  virtual void suspend(const char* caller);
  virtual void resume(const char* caller);
  virtual void set_target(queue* target, const char* caller);

  void* context() const noexcept { return context_.load(std::memory_order_acquire); }
  void set_context(void* context) noexcept { context_.store(context, std::memory_order_release); }
  void set_finalizer(dispatch_function_t finalizer) noexcept { finalizer_.store(finalizer); }

 protected:
  virtual ~object() = default;
  /// The program has let go of its last reference. May still crash the program for it.
  virtual void abandoned(const char* /*caller*/) {}
  /// Where the finalizer runs, retained for the caller; the default is the default global queue.
  virtual queue* finalizer_queue() noexcept;

 private:
  std::atomic<std::uint32_t> inner_{1}, outer_{1};
  std::atomic<void*> context_{nullptr};
  std::atomic<dispatch_function_t> finalizer_{nullptr};
  const kind what_;
  const bool counted_;
};

/// The object behind a handle; null for attributes, which are not objects. Null handles are misuse
/// by `caller`.
object* unwrap(dispatch_object_t handle, const char* caller) noexcept;

/// The object of class T behind a handle; anything else is misuse by `caller`.
template <class T, class Handle>
T& as(Handle* handle, const char* caller) noexcept;
[[noreturn]] void wrong_kind(const char* caller) noexcept;

template <class T, class Handle>
T& as(Handle* handle, const char* caller) noexcept {
  object* at = unwrap(reinterpret_cast<dispatch_object_t>(handle), caller);
  if (!at || at->what() != T::is) wrong_kind(caller);
  return *static_cast<T*>(at);
}
template <class Handle>
Handle wrap(object* at) noexcept {
  return reinterpret_cast<Handle>(at);
}

/// Owns one of the library's references.
template <class T>
class held {
 public:
  held() noexcept = default;
  /// Adds a reference.
  explicit held(T* borrowed) noexcept : at_(borrowed) {
    if (at_) at_->retain();
  }
  static held adopt(T* owned) noexcept {
    held h;
    h.at_ = owned;
    return h;
  }
  held(const held& other) noexcept : held(other.at_) {}
  held(held&& other) noexcept : at_(other.at_) { other.at_ = nullptr; }
  held& operator=(held other) noexcept {
    T* mine = at_;
    at_ = other.at_;
    other.at_ = mine;
    return *this;
  }
  ~held() {
    if (at_) at_->release();
  }
  T* get() const noexcept { return at_; }
  T* operator->() const noexcept { return at_; }
  T& operator*() const noexcept { return *at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }
  [[nodiscard]] T* release() noexcept {
    T* mine = at_;
    at_ = nullptr;
    return mine;
  }

 private:
  T* at_ = nullptr;
};

}  // namespace openxpc::dispatch
