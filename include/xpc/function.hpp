#pragma once

#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace xpc {

template <class>
class unique_function;

/// A callable that can be moved and not copied, so it may hold resources. Small ones (three
/// pointers) are kept in place, others on the heap. Calling an empty one is undefined. A resource:
/// move-only. Threads: as the callable itself; moving it is for one thread.
template <class R, class... A>
class unique_function<R(A...)> {
 public:
  /// An empty one; converts to false.
  unique_function() noexcept = default;
  /// The same.
  unique_function(std::nullptr_t) noexcept {}
  /// Holds `call`, copied or moved. A null function pointer makes an empty one.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, unique_function> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, A...>)
  unique_function(F&& call) {
    using held = std::decay_t<F>;
    if constexpr (std::is_pointer_v<held>) {
      if (call == nullptr) return;
    }
    if constexpr (fits<held>) {
      ::new (static_cast<void*>(room_)) held(std::forward<F>(call));
    } else {
      ::new (static_cast<void*>(room_)) held*(new held(std::forward<F>(call)));
    }
    how_ = &how_for<held>;
  }
  unique_function(unique_function&& other) noexcept : how_(std::exchange(other.how_, nullptr)) {
    if (how_) how_->move(room_, other.room_);
  }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      how_ = std::exchange(other.how_, nullptr);
      if (how_) how_->move(room_, other.room_);
    }
    return *this;
  }
  ~unique_function() { reset(); }

  /// Whether there is something to call.
  explicit operator bool() const noexcept { return how_ != nullptr; }
  R operator()(A... arguments) { return how_->call(room_, std::forward<A>(arguments)...); }

 private:
  struct how {
    R (*call)(void* room, A&&... arguments);
    void (*move)(void* to, void* from) noexcept;  // leaves nothing behind
    void (*destroy)(void* room) noexcept;
  };
  template <class F>
  static constexpr bool fits = sizeof(F) <= 3 * sizeof(void*) && alignof(F) <= alignof(void*) &&
                               std::is_nothrow_move_constructible_v<F>;
  template <class F>
  static F& at(void* room) noexcept {
    if constexpr (fits<F>) {
      return *std::launder(reinterpret_cast<F*>(room));
    } else {
      return **std::launder(reinterpret_cast<F**>(room));
    }
  }
  template <class F>
  static R call_held(void* room, A&&... arguments) {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(at<F>(room)(std::forward<A>(arguments)...));
    } else {
      return at<F>(room)(std::forward<A>(arguments)...);
    }
  }
  template <class F>
  static void move_held(void* to, void* from) noexcept {
    if constexpr (fits<F>) {
      ::new (to) F(std::move(at<F>(from)));
      at<F>(from).~F();
    } else {
      ::new (to) F*(&at<F>(from));
    }
  }
  template <class F>
  static void destroy_held(void* room) noexcept {
    if constexpr (fits<F>) {
      at<F>(room).~F();
    } else {
      delete &at<F>(room);
    }
  }
  template <class F>
  static constexpr how how_for{&call_held<F>, &move_held<F>, &destroy_held<F>};

  void reset() noexcept {
    if (how_) std::exchange(how_, nullptr)->destroy(room_);
  }

  const how* how_ = nullptr;
  alignas(void*) unsigned char room_[3 * sizeof(void*)];
};

}  // namespace xpc
