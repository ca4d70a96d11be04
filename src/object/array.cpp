#include "object/array.hpp"

#include "object/scalar.hpp"

namespace openxpc::object {
namespace {

/// Up to here an element is found by walking from the start.
constexpr std::uint32_t walked_up_to = 8;

}  // namespace

ref<array> array::over(ref<source> message, wire::value encoded) {
  return ref<array>::adopt(new array(std::move(message), encoded));
}

item array::find(std::size_t index) const {
  if (index >= count()) return {};
  if (!is_view()) return item_at(index);
  auto ordinal = static_cast<std::uint32_t>(index);
  return {this, ordinal, made_child(ordinal), encoded_at(ordinal)};
}

item array::item_at(std::size_t index) const noexcept {
  const element& at = elements_[index];
  return {this, static_cast<std::uint32_t>(index), at.value.get(),
          at.encoded ? message()->at(at.encoded) : wire::value()};
}

wire::value array::encoded_at(std::uint32_t ordinal) const {
  if (ordinal < walked_up_to) return view().element(ordinal);
  std::uint32_t* offsets = offsets_.load(std::memory_order_acquire);
  if (!offsets) {
    auto fresh = std::make_unique<std::uint32_t[]>(view().count());
    std::uint32_t i = 0;
    for (wire::value each : view().elements()) fresh[i++] = each.offset();
    if (offsets_.compare_exchange_strong(offsets, fresh.get(), std::memory_order_acq_rel,
                                         std::memory_order_acquire))
      offsets = fresh.release();
  }
  return message()->at(offsets[ordinal]);
}

void array::make_native() {
  if (!is_view()) return;
  elements_.reserve(view().count() + 1);
  std::uint32_t ordinal = 0;
  for (wire::value each : view().elements())
    elements_.push_back({take_child(ordinal++), each.offset()});
  delete[] offsets_.exchange(nullptr, std::memory_order_relaxed);
  become_native();
}

void array::set(std::size_t index, ref<object> value) {
  make_native();
  elements_[index].encoded = 0;
  elements_[index].value.reset(std::move(value));
}

void array::append(ref<object> value) {
  make_native();
  elements_.push_back({slot(std::move(value)), 0});
}

ref<object> array::take(std::size_t index) {
  find(index).as_object();
  make_native();
  auto taken = elements_[index].value.take();
  set(index, ref<object>::adopt(the_null()));
  return taken;
}

void array::remove(std::size_t index) {
  make_native();
  elements_.erase(elements_.begin() + static_cast<std::ptrdiff_t>(index));
}

ref<array> array::shallow_copy() const {
  if (untouched()) return over(message(), view());
  auto copy = create();
  copy->reserve(count());
  each([&](std::size_t, const item& value) {
    copy->append(ref<object>::share(value.as_object()));
    return true;
  });
  return copy;
}

}  // namespace openxpc::object
