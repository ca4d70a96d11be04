#pragma once

#include "base/ref.hpp"
#include "object/types.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace openxpc::object {

class describer;

/// What every xpc_object_t points to: a kind and a count of references, which starts at one, owned
/// by the maker. Works with base::ref. Immutable kinds are safe from any thread; containers as
/// their classes say.
///
/// Deriving (also from layers above): a final class that passes its kind on and implements
/// destroy(), as a rule `delete this`.
class object {
 public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  openxpc_type_t what() const noexcept { return static_cast<openxpc_type_t>(kind_); }
  bool immortal() const noexcept { return magic_ == eternal; }

  /// One more reference; nothing for immortal objects. On an object that is gone: misuse, where
  /// that can be seen (rule 3).
  void retain() const noexcept {
    if (magic_ == eternal) return;
    if (magic_ != live || count_.fetch_add(1, std::memory_order_relaxed) == 0) [[unlikely]]
      gone("xpc_retain");
  }
  /// One reference less; the last one destroys the object.
  void release() const noexcept {
    if (magic_ == eternal) return;
    if (magic_ != live) [[unlikely]]
      gone("xpc_release");
    auto old = count_.fetch_sub(1, std::memory_order_acq_rel);
    if (old == 1) [[unlikely]]
      end();
    else if (old == 0) [[unlikely]]
      gone("xpc_release");
  }
  /// Takes a reference unless the last one is gone already: for those who know an object without
  /// owning it.
  bool try_retain() const noexcept {
    auto count = count_.load(std::memory_order_relaxed);
    while (count != 0)
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    return false;
  }
  /// True when the caller's reference is the only one; then nobody else can take another.
  bool unique() const noexcept {
    return !immortal() && count_.load(std::memory_order_acquire) == 1;
  }
  /// False for memory that is no object, or no longer one.
  bool alive() const noexcept { return magic_ == live || magic_ == eternal; }

  /// Appends what stands behind "<name: address>" in a description, e.g. " { name = org.example.x
  /// }".
  virtual void describe(describer& out) const;

 protected:
  enum class lifetime : std::uint8_t { counted, immortal };
  constexpr explicit object(openxpc_type_t what, lifetime life = lifetime::counted) noexcept
      : kind_(static_cast<std::uint8_t>(what)),
        magic_(life == lifetime::immortal ? eternal : live) {}
  ~object() = default;

 private:
  static constexpr std::uint32_t live = 0x4f435058, eternal = 0x65766572, dead = 0x64656164;

  /// Called once when the last reference is gone: runs the destructor and frees the memory.
  virtual void destroy() noexcept = 0;
  void end() const noexcept;
  [[noreturn]] void gone(const char* function) const noexcept;

  mutable std::atomic<std::uint32_t> count_{1};
  std::uint8_t kind_;
  // Behind the first 16 bytes, which an allocator overwrites when memory is freed: tells a released
  // object from a live one until the memory is used again.
  mutable std::uint32_t magic_;
};

template <class T>
using ref = base::ref<T>;

/// The object behind a handle, or null if it is of another kind (or the handle is NULL). T names
/// its kind as T::its_kind.
template <class T>
T* as(xpc_object_t handle) noexcept {
  auto* any = static_cast<object*>(handle);
  return any && any->what() == T::its_kind ? static_cast<T*>(any) : nullptr;
}
template <class T>
const T* as(const object* any) noexcept {
  return any && any->what() == T::its_kind ? static_cast<const T*>(any) : nullptr;
}

}  // namespace openxpc::object
