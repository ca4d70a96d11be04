#pragma once

#include "base/hash.hpp"
#include "wire/cursor.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace openxpc::object {

/// Above this many keys a dictionary gets an index.
inline constexpr std::size_t indexed_above = 16;

inline std::uint32_t key_hash(std::string_view key) noexcept {
  return static_cast<std::uint32_t>(base::keyed_hash(base::as_bytes(key)));
}

/// Finds positions by hash: open addressing with linear probing, at most three quarters full. Who
/// asks compares the keys.
class position_index {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  /// Empties it and makes room for `count` positions without growing.
  void reset(std::size_t count);
  void add(std::uint32_t hash, std::uint32_t position);
  /// Precondition: it is there.
  void remove(std::uint32_t hash, std::uint32_t position) noexcept;
  /// Precondition: it is there.
  void move(std::uint32_t hash, std::uint32_t from, std::uint32_t to) noexcept;

  /// The position for which `is_it` says so, or none.
  template <class F>
  std::uint32_t find(std::uint32_t hash, F is_it) const noexcept {
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const cell& each = cells_[at];
      if (!each.position_plus_1) return none;
      if (each.hash == hash && is_it(each.position_plus_1 - 1)) return each.position_plus_1 - 1;
    }
  }

 private:
  struct cell {
    std::uint32_t hash, position_plus_1;
  };
  cell& cell_of(std::uint32_t hash, std::uint32_t position) noexcept;

  std::unique_ptr<cell[]> cells_;
  std::size_t mask_ = 0, used_ = 0;
};

/// The index of an encoded dictionary: which entry has a key, and where each entry's key is.
/// Constant once made.
class view_index {
 public:
  explicit view_index(wire::value dictionary, const std::byte* message);
  /// Ordinal of the entry, or position_index::none.
  std::uint32_t find(std::string_view key) const noexcept;
  wire::value value_at(std::uint32_t ordinal) const noexcept;

 private:
  std::string_view key_at(std::uint32_t ordinal) const noexcept;
  const std::byte* message_;
  std::unique_ptr<std::uint32_t[]> keys_;  // offsets
  position_index index_;
};

}  // namespace openxpc::object
