#include <dispatch/dispatch.h>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <cstring>
#include <string>

#include "dispatch/calls.hpp"

namespace {

using namespace dispatch_test;
using owned_data = owned<dispatch_data_t>;

dispatch_data_t text(const char* bytes) {
  return dispatch_data_create_f(bytes, std::strlen(bytes), nullptr, nullptr, nullptr);
}

std::string read(dispatch_data_t data) {
  const void* bytes = nullptr;
  size_t size = 0;
  owned_data map(dispatch_data_create_map(data, &bytes, &size));
  return std::string(static_cast<const char*>(bytes), size);
}

TEST(DispatchData, JoinsAndCutsWithoutCopies) {
  owned_data hello(text("hello ")), world(text("world"));
  owned_data both(dispatch_data_create_concat(hello, world));
  EXPECT_EQ(dispatch_data_get_size(both), 11u);
  EXPECT_EQ(read(both), "hello world");
  owned_data part(dispatch_data_create_subrange(both, 4, 4));
  EXPECT_EQ(read(part), "o wo");
  owned_data beyond(dispatch_data_create_subrange(both, 9, 100));
  EXPECT_EQ(read(beyond), "ld");
  owned_data none(dispatch_data_create_subrange(both, 100, 1));
  EXPECT_EQ(static_cast<dispatch_data_t>(none), dispatch_data_empty);
  EXPECT_EQ(dispatch_data_get_size(dispatch_data_empty), 0u);
}

TEST(DispatchData, VisitsItsPiecesInOrder) {
  owned_data one(text("ab")), two(text("cde"));
  owned_data both(dispatch_data_create_concat(one, two));
  std::string seen;
  EXPECT_TRUE(dispatch_data_apply_f(
      both, &seen,
      [](void* at, dispatch_data_t region, size_t offset, const void* bytes, size_t size) {
        auto& all = *static_cast<std::string*>(at);
        EXPECT_EQ(offset, all.size());
        EXPECT_EQ(dispatch_data_get_size(region), size);
        all.append(static_cast<const char*>(bytes), size);
        return true;
      }));
  EXPECT_EQ(seen, "abcde");
  EXPECT_FALSE(dispatch_data_apply_f(
      both, nullptr, [](void*, dispatch_data_t, size_t, const void*, size_t) { return false; }));
  size_t offset = 0;
  owned_data region(dispatch_data_copy_region(both, 3, &offset));
  EXPECT_EQ(offset, 2u);
  EXPECT_EQ(read(region), "cde");
  owned_data outside(dispatch_data_copy_region(both, 5, &offset));
  EXPECT_EQ(offset, 5u);
  EXPECT_EQ(dispatch_data_get_size(outside), 0u);
}

TEST(DispatchData, DestructorComesWhenTheLastUserIsGone) {
  owned<dispatch_queue_t> queue(dispatch_queue_create("bytes", nullptr));
  struct state {
    dispatch_queue_t queue;
    event gone;
    char bytes[4] = {'d', 'a', 't', 'a'};
  } kept{queue, {}, {'d', 'a', 't', 'a'}};
  dispatch_data_t data = dispatch_data_create_f(kept.bytes, 4, queue, &kept, [](void* at) {
    auto* mine = static_cast<state*>(at);
    dispatch_assert_queue(mine->queue);
    mine->gone.give();
  });
  dispatch_data_t part = dispatch_data_create_subrange(data, 1, 2);
  dispatch_release(data);
  EXPECT_EQ(read(part), "at");
  dispatch_release(part);
  kept.gone.wait();
}

}  // namespace
