// Several threads read one received message at once; under ThreadSanitizer this shows that they
// may.
#include "object/describe.hpp"
#include "object/messages_test.hpp"

#include <atomic>
#include <latch>
#include <thread>

namespace openxpc::object {
namespace {

using testing::round_trip;
using testing::text;

TEST(ObjectThreads, ReadOneReceivedContainerAtOnceAndGetTheSameObjects) {
  auto list = array::create();
  for (int i = 0; i < 50; ++i) {
    auto row = dictionary::create();
    for (int k = 0; k < 20; ++k) row->set("key " + std::to_string(k), make_int64(k));
    list->append(row);
  }
  auto it = dictionary::create();
  it->set("list", list);
  it->set("text", text(std::string(1000, 't')));
  it->set("file", testing::an_fd());
  for (int round = 0; round < 20; ++round) {
    auto got = round_trip(*it);
    std::latch start(4);
    std::atomic<object*> seen[50] = {};
    std::vector<std::thread> readers;
    for (int t = 0; t < 4; ++t)
      readers.emplace_back([&, t] {
        start.arrive_and_wait();
        auto* rows = static_cast<array*>(got->get("list"));
        for (int n = 0; n < 50; ++n) {
          auto index = static_cast<std::size_t>(t % 2 ? n : 49 - n);
          object* row = rows->get(index);
          object* expected = nullptr;
          if (!seen[index].compare_exchange_strong(expected, row)) {
            EXPECT_EQ(expected, row);
          }
          EXPECT_EQ(static_cast<dictionary*>(row)->find("key 19").to_bits(), 19u);
          EXPECT_TRUE(static_cast<dictionary*>(row)->get("key 3"));
        }
        EXPECT_EQ(got->find("text").to_string().size(), 1000u);
        EXPECT_TRUE(got->get("file"));
        EXPECT_TRUE(equal(*got, *got));
        hash(*got);
        describe(*got);
        EXPECT_FALSE(testing::send(*got).bytes.empty());
        EXPECT_TRUE(copy(*got));
      });
    for (auto& each : readers) each.join();
  }
}

TEST(ObjectThreads, WalkOneReceivedContainerAtOnce) {
  auto it = dictionary::create();
  for (int i = 0; i < 100; ++i) it->set(std::to_string(i), text("value"));
  auto got = round_trip(*it);
  std::vector<std::thread> walkers;
  for (int t = 0; t < 3; ++t)
    walkers.emplace_back([&] {
      container::walk guard(*got);
      int count = 0;
      got->each([&](std::string_view, const item& value) {
        count += value.as_object() != nullptr;
        return true;
      });
      EXPECT_EQ(count, 100);
    });
  for (auto& each : walkers) each.join();
  EXPECT_FALSE(got->is_walked());
}

}  // namespace
}  // namespace openxpc::object
