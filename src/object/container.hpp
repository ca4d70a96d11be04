#pragma once

#include "base/recycled.hpp"
#include "object/item.hpp"

#include <memory>

namespace openxpc::object {

/// Where a container keeps the object of an element, made when asked for and then the same for ever
/// (rule 303).
class slot {
 public:
  slot() noexcept = default;
  explicit slot(ref<object> held) noexcept : held_(held.release()) {}
  slot(slot&& other) noexcept : held_(other.held_.exchange(nullptr, std::memory_order_relaxed)) {}
  slot& operator=(slot&& other) noexcept {
    reset(ref<object>::adopt(other.held_.exchange(nullptr, std::memory_order_relaxed)));
    return *this;
  }
  ~slot() { reset(nullptr); }

  object* get() const noexcept { return held_.load(std::memory_order_acquire); }
  void reset(ref<object> value) noexcept {
    if (object* old = held_.exchange(value.release(), std::memory_order_relaxed)) old->release();
  }
  ref<object> take() noexcept {
    return ref<object>::adopt(held_.exchange(nullptr, std::memory_order_relaxed));
  }
  /// The first to offer wins; everybody gets the winner's.
  object* offer(ref<object> made) noexcept {
    object* expected = nullptr;
    if (held_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire))
      return made.release();
    return expected;
  }

 private:
  std::atomic<object*> held_{nullptr};
};

/// What arrays and dictionaries share. A container is a *view* over its encoding in a message, or
/// *native*: entries of its own. The first change turns a view into a native one, whose elements
/// may still be encoded. Threads: reading is safe from many at once; changing needs the container
/// to oneself (rule 19).
class container : public object, public base::recycled {
 public:
  /// The message that encoded elements are in; null if there is none.
  const ref<source>& message() const noexcept { return message_; }
  bool is_view() const noexcept { return static_cast<bool>(view_); }
  /// The encoding of a view; empty for a native container.
  wire::value view() const noexcept { return view_; }
  /// True for a view of which no part was changed: its encoding is its value.
  bool untouched() const noexcept;

  /// While something walks through the container, changing it is misuse (rule 38). Also keeps it
  /// alive.
  class walk {
   public:
    explicit walk(const container& over) noexcept : over_(ref<const container>::share(&over)) {
      over_->walkers_.fetch_add(1, std::memory_order_relaxed);
    }
    ~walk() { over_->walkers_.fetch_sub(1, std::memory_order_relaxed); }
    walk(const walk&) = delete;
    walk& operator=(const walk&) = delete;

   private:
    ref<const container> over_;
  };
  bool is_walked() const noexcept { return walkers_.load(std::memory_order_relaxed) != 0; }

  /// For item: the object of an encoded element, made now if nobody did before.
  object* keep_object(std::uint32_t ordinal, wire::value encoded) const;

 protected:
  explicit container(kind what) noexcept : object(what) {}
  container(kind what, ref<source> message, wire::value view) noexcept
      : object(what), message_(std::move(message)), view_(view) {}
  ~container();

  /// The object of an element of a view, if made.
  object* made_child(std::uint32_t ordinal) const noexcept {
    slot* all = children_.load(std::memory_order_acquire);
    return all ? all[ordinal].get() : nullptr;
  }
  /// Moves a made child out when a view becomes native.
  slot take_child(std::uint32_t ordinal) noexcept {
    slot* all = children_.load(std::memory_order_relaxed);
    return all ? std::move(all[ordinal]) : slot();
  }
  /// A view no longer.
  void become_native() noexcept;
  /// A view over the root of that message. Precondition: empty, or a view of the same values
  /// without a made child.
  void become_view(ref<source> message) noexcept {
    message_ = std::move(message);
    view_ = message_->root();
  }
  bool has_children() const noexcept {
    return children_.load(std::memory_order_relaxed) != nullptr;
  }

 private:
  /// Deletes itself, but never nests deeply, however deep the tree is.
  void destroy() noexcept final;
  /// `delete this`, by the class that knows its size.
  virtual void free_now() noexcept = 0;
  /// The slot of an element of a native container.
  virtual slot& native_slot(std::uint32_t ordinal) const noexcept = 0;
  slot* children() const;

  ref<source> message_;
  wire::value view_;
  mutable std::atomic<slot*> children_{
      nullptr};  // view_.count() of them, once the first is asked for
  container* next_to_free_ = nullptr;
  mutable std::atomic<std::uint32_t> walkers_{0};
};

}  // namespace openxpc::object
