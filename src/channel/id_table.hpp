#pragma once

#include "base/random.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace openxpc::channel {

/// A map from ids to T without an allocation per entry: open addressing under a random multiplier,
/// so that a peer that chooses its ids cannot choose where they land (threat T42). Id 0 is never in
/// it. T must be movable and cheap to construct empty.
template <class T>
class id_table {
 public:
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }

  T* find(std::uint64_t id) noexcept {
    if (slots_.empty() || id == 0) return nullptr;
    for (std::size_t at = home(id);; at = next(at)) {
      if (slots_[at].first == id) return &slots_[at].second;
      if (slots_[at].first == 0) return nullptr;
    }
  }
  /// The id must not be in the table. Pointers to other entries become invalid.
  T& insert(std::uint64_t id, T value) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    std::size_t at = home(id);
    while (slots_[at].first != 0) at = next(at);
    slots_[at] = {id, std::move(value)};
    ++count_;
    return slots_[at].second;
  }
  /// Nothing happens if it is not there. Pointers to other entries become invalid.
  void erase(std::uint64_t id) noexcept {
    if (slots_.empty() || id == 0) return;
    std::size_t at = home(id);
    while (slots_[at].first != id) {
      if (slots_[at].first == 0) return;
      at = next(at);
    }
    // Close the gap: an entry behind it moves up unless that would put it in front of its home.
    for (std::size_t from = next(at); slots_[from].first != 0; from = next(from)) {
      const std::size_t distance_to_home = (from - home(slots_[from].first)) & mask();
      if (distance_to_home < ((from - at) & mask())) continue;
      slots_[at] = std::move(slots_[from]);
      at = from;
    }
    slots_[at] = slot{};
    --count_;
  }
  /// f(id, T&) for each entry. It must not insert or erase.
  template <class F>
  void each(F&& f) {
    for (auto& [id, value] : slots_)
      if (id != 0) f(id, value);
  }
  /// Empties the table and hands out what was in it.
  std::vector<std::pair<std::uint64_t, T>> take_all() {
    std::vector<std::pair<std::uint64_t, T>> out;
    out.reserve(count_);
    for (slot& each : slots_)
      if (each.first != 0) out.push_back(std::move(each));
    slots_.clear();
    count_ = 0;
    return out;
  }

 private:
  using slot = std::pair<std::uint64_t, T>;
  std::size_t mask() const noexcept { return slots_.size() - 1; }
  std::size_t home(std::uint64_t id) const noexcept {
    return static_cast<std::size_t>((id * multiplier_) >> 32) & mask();
  }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  void grow() {
    std::vector<slot> old(slots_.empty() ? 8 : 2 * slots_.size());
    std::swap(old, slots_);
    count_ = 0;
    for (slot& each : old)
      if (each.first != 0) insert(each.first, std::move(each.second));
  }

  std::uint64_t multiplier_ = base::random_u64() | 1;
  std::vector<slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace openxpc::channel
