#include "object/dictionary_index.hpp"

#include <bit>
#include <utility>

namespace openxpc::object {

void position_index::reset(std::size_t count) {
  std::size_t size = std::bit_ceil(count + count / 3 + 2);
  cells_ = std::make_unique<cell[]>(size);
  mask_ = size - 1;
  used_ = 0;
}

void position_index::add(std::uint32_t hash, std::uint32_t position) {
  if (4 * (used_ + 1) > 3 * (mask_ + 1)) {
    auto old = std::move(cells_);
    std::size_t old_size = mask_ + 1;
    reset(used_);
    for (std::size_t i = 0; i < old_size; ++i)
      if (old[i].position_plus_1) add(old[i].hash, old[i].position_plus_1 - 1);
  }
  std::size_t at = hash & mask_;
  while (cells_[at].position_plus_1) at = (at + 1) & mask_;
  cells_[at] = {hash, position + 1};
  ++used_;
}

position_index::cell& position_index::cell_of(std::uint32_t hash, std::uint32_t position) noexcept {
  std::size_t at = hash & mask_;
  while (cells_[at].position_plus_1 != position + 1) at = (at + 1) & mask_;
  return cells_[at];
}

void position_index::remove(std::uint32_t hash, std::uint32_t position) noexcept {
  std::size_t hole = static_cast<std::size_t>(&cell_of(hash, position) - cells_.get());
  // Cells behind the hole move up unless that would put them before their own place.
  for (std::size_t at = (hole + 1) & mask_; cells_[at].position_plus_1; at = (at + 1) & mask_) {
    std::size_t home = cells_[at].hash & mask_;
    if (((at - home) & mask_) >= ((at - hole) & mask_))
      cells_[std::exchange(hole, at)] = cells_[at];
  }
  cells_[hole] = {};
  --used_;
}

void position_index::move(std::uint32_t hash, std::uint32_t from, std::uint32_t to) noexcept {
  cell_of(hash, from).position_plus_1 = to + 1;
}

view_index::view_index(wire::value dictionary, const std::byte* message)
    : message_(message), keys_(std::make_unique<std::uint32_t[]>(dictionary.count())) {
  index_.reset(dictionary.count());
  std::uint32_t ordinal = 0;
  for (const wire::entry& each : dictionary.entries()) {
    keys_[ordinal] =
        static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(each.key.data()) - message);
    index_.add(key_hash(each.key), ordinal++);
  }
}

std::string_view view_index::key_at(std::uint32_t ordinal) const noexcept {
  const std::byte* at = message_ + keys_[ordinal];
  return base::as_text({at, wire::key_length(at)});
}

wire::value view_index::value_at(std::uint32_t ordinal) const noexcept {
  auto length = static_cast<std::uint32_t>(key_at(ordinal).size());
  return {message_, keys_[ordinal] + wire::key_bytes(length)};
}

std::uint32_t view_index::find(std::string_view key) const noexcept {
  return index_.find(key_hash(key), [&](std::uint32_t ordinal) { return key_at(ordinal) == key; });
}

}  // namespace openxpc::object
