#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

using namespace openxpc::base;

TEST(BaseHash, EveryByteAndTheLengthCountWhereverTheTextStands) {
  std::set<std::uint64_t> seen;
  std::size_t texts = 0;
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'x');
    auto hash = keyed_hash(as_bytes(text));
    EXPECT_TRUE(seen.insert(hash).second) << size;
    ++texts;
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'y';
      EXPECT_TRUE(seen.insert(keyed_hash(as_bytes(other))).second) << size << ' ' << i;
      ++texts;
    }
    for (std::size_t shift = 1; shift < 8; ++shift) {
      std::string moved = std::string(shift, '-') + text + std::string(8, '+');
      EXPECT_EQ(keyed_hash(as_bytes(std::string_view(moved).substr(shift, size))), hash);
    }
  }
  EXPECT_EQ(seen.size(), texts);
}
