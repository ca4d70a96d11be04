#pragma once

#include "object/container.hpp"

#include <memory>
#include <vector>

namespace openxpc::object {

/// Elements in order, without holes (rule 39). Threads: see container.
class array final : public container {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_ARRAY;

  static ref<array> create() { return ref<array>::adopt(new array); }
  /// A view. Precondition: `encoded` is an array of the message.
  static ref<array> over(ref<source> message, wire::value encoded);

  std::size_t count() const noexcept { return is_view() ? view().count() : elements_.size(); }
  /// An empty item beyond the end.
  item find(std::size_t index) const;
  object* get(std::size_t index) const {
    item found = find(index);
    return found ? found.as_object() : nullptr;
  }

  // Changing. Precondition: nothing walks through the array, and the index is below count().
  void set(std::size_t index, ref<object> value);
  void append(ref<object> value);
  /// Null takes its place.
  ref<object> take(std::size_t index);
  void remove(std::size_t index);
  void reserve(std::size_t count) { elements_.reserve(count); }

  /// Calls f(index, item) upwards until it returns false; whether it never did.
  template <class F>
  bool each(F f) const {
    if (is_view()) {
      std::uint32_t ordinal = 0;
      for (wire::value each : view().elements()) {
        if (!f(std::size_t{ordinal}, item(this, ordinal, made_child(ordinal), each))) return false;
        ++ordinal;
      }
      return true;
    }
    for (std::size_t i = 0; i < elements_.size(); ++i)
      if (!f(i, item_at(i))) return false;
    return true;
  }

  /// An array of its own with the same values; children are shared.
  ref<array> shallow_copy() const;
  void describe(describer& out) const override;

 private:
  struct element {
    slot value;
    std::uint32_t encoded;  // offset in the message; 0: there is only the object
  };

  array() noexcept : container(its_kind) {}
  array(ref<source> message, wire::value encoded) noexcept
      : container(its_kind, std::move(message), encoded) {}
  ~array() { delete[] offsets_.load(std::memory_order_relaxed); }

  slot& native_slot(std::uint32_t ordinal) const noexcept override {
    return const_cast<array*>(this)->elements_[ordinal].value;
  }
  void free_now() noexcept override { delete this; }

  item item_at(std::size_t index) const noexcept;
  wire::value encoded_at(std::uint32_t ordinal) const;
  void make_native();

  std::vector<element> elements_;
  mutable std::atomic<std::uint32_t*> offsets_{nullptr};  // of a long view, once asked by index
};

}  // namespace openxpc::object
