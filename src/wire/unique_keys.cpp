#include "wire/unique_keys.hpp"

#include "base/hash.hpp"
#include "wire/cursor.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <new>

namespace openxpc::wire {
namespace {

struct slot {
  std::uint32_t key_offset;  // 0: free, since the header stands there
  std::uint32_t hash;
};

}  // namespace

std::optional<malformed> find_repeated_key(const std::byte* message, std::uint32_t first,
                                           std::uint32_t count) noexcept {
  // Open addressing, at most two thirds full. The count is no longer a mere claim here: that many
  // entries were seen.
  std::size_t size = static_cast<std::size_t>(count) + count / 2 + 1;
  slot near[256];
  std::unique_ptr<slot[]> far;
  slot* table = near;
  if (size <= std::size(near)) {
    std::memset(near, 0, size * sizeof(slot));
  } else {
    far.reset(new (std::nothrow) slot[size]());
    if (!far) return malformed{fault::out_of_memory, first};
    table = far.get();
  }
  // The places of some keys are fetched together, so that their cache misses overlap.
  constexpr std::uint32_t together = 16;
  struct {
    std::string_view text;
    std::uint64_t hash;
    std::size_t place;
  } keys[together];
  auto at = entry_range(message, first, count).begin();
  for (std::uint32_t done = 0; done < count; done += together) {
    std::uint32_t now = std::min(together, count - done);
    for (std::uint32_t i = 0; i < now; ++i, ++at) {
      auto& key = keys[i];
      key.text = at->key;
      key.hash = base::keyed_hash(base::as_bytes(key.text));
      key.place = static_cast<std::size_t>((key.hash >> 32) * size >> 32);
      __builtin_prefetch(&table[key.place], 1);
    }
    for (std::uint32_t i = 0; i < now; ++i) {
      const auto& [text, hash, place] = keys[i];
      auto offset = static_cast<std::uint32_t>(base::as_bytes(text).data() - message);
      auto low = static_cast<std::uint32_t>(hash);
      std::size_t to = place;
      for (; table[to].key_offset; to = to + 1 == size ? 0 : to + 1) {
        // An earlier key plus the size of this one ends before this one does.
        if (table[to].hash == low &&
            std::memcmp(message + table[to].key_offset, text.data(), text.size() + 1) == 0)
          return malformed{fault::key_repeated, offset};
      }
      table[to] = {offset, low};
    }
  }
  return std::nullopt;
}

}  // namespace openxpc::wire
