#include "object/container.hpp"

#include "object/file_transfer.hpp"

namespace openxpc::object {

container::~container() { delete[] children_.load(std::memory_order_relaxed); }

slot* container::children() const {
  slot* all = children_.load(std::memory_order_acquire);
  if (all) return all;
  auto fresh = std::make_unique<slot[]>(view_.count());
  if (children_.compare_exchange_strong(all, fresh.get(), std::memory_order_acq_rel,
                                        std::memory_order_acquire))
    return fresh.release();
  return all;
}

object* container::keep_object(std::uint32_t ordinal, wire::value encoded) const {
  slot& place = view_ ? children()[ordinal] : native_slot(ordinal);
  if (object* made = place.get()) return made;
  return place.offer(make_object(message_, encoded));
}

bool container::untouched() const noexcept {
  if (!view_) return false;
  slot* all = children_.load(std::memory_order_acquire);
  if (!all) return true;
  for (std::uint32_t i = 0; i < view_.count(); ++i) {
    object* made = all[i].get();
    if (auto* transfer = as<file_transfer>(made)) made = transfer->content();
    if (!made) continue;
    bool holds = made->what() == OPENXPC_TYPE_ARRAY || made->what() == OPENXPC_TYPE_DICTIONARY;
    if (holds && !static_cast<container*>(made)->untouched()) return false;
  }
  return true;
}

void container::become_native() noexcept {
  view_ = {};
  delete[] children_.exchange(nullptr, std::memory_order_relaxed);
}

void container::destroy() noexcept {
  // A view without made children holds nothing that could nest.
  if (is_view() && !has_children()) return free_now();
  // A tree that a program built may be a million deep: past some depth, containers are put aside
  // and freed by the outermost call, so that the stack stays shallow.
  constexpr int deep = 32;
  static thread_local int depth = 0;
  static thread_local container* aside = nullptr;
  if (depth == deep) {
    next_to_free_ = aside;
    aside = this;
    return;
  }
  ++depth;
  free_now();
  if (--depth != 0) return;
  while (container* each = aside) {
    aside = each->next_to_free_;
    ++depth;
    each->free_now();
    --depth;
  }
}

}  // namespace openxpc::object
