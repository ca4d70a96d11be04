// What it costs to receive a message: a program of its own, since it replaces the allocator.
#include "base/sanitized.hpp"
#include "object/messages_test.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

namespace {
thread_local bool counting = false;
thread_local int count = 0;
std::atomic<int> living{0};
}  // namespace

void* operator new(std::size_t size) {
  if (counting) ++count;
  ++living;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++count;
  ++living;
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept {
  if (memory) --living;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { ::operator delete(memory); }

namespace openxpc::object {
namespace {

/// Allocations by operator new while `work` runs on this thread.
template <class F>
int allocations(F work) {
  count = 0;
  counting = true;
  work();
  counting = false;
  return count;
}

TEST(ObjectAllocations, ReceivingAndReadingAFiveKeyMessageTakesAtMostTwo) {
  auto it = dictionary::create();
  it->set("op", testing::text("event"));
  it->set("id", make_int64(12345));
  it->set("size", make_uint64(99));
  it->set("path", testing::text("/usr/include/stdio.h, and more than fits into a short string"));
  it->set("when", make_date(1'700'000'000'000'000'000));
  auto message = testing::send(*it);
  std::vector<base::fd> none;
  std::uint64_t sum = 0;
  int used = allocations([&] {
    std::optional<wire::malformed> fault;
    auto got = decode(message.bytes.view(), std::move(none), wire::mode::local, fault);
    sum += got->find("op").to_string().size() + got->find("id").to_bits() +
           got->find("size").to_bits() + got->find("path").to_string().size() +
           got->find("when").to_bits();
    sum += got->find("absent") ? 1 : 0;
  });
  EXPECT_GT(sum, 0u);
  EXPECT_LE(used, 2);
  EXPECT_GT(used, 0);
}

TEST(ObjectAllocations, TheNextMessageOfAThreadTakesNoneAndNothingIsLeftOfTheThread) {
  auto it = dictionary::create();
  it->set("id", make_int64(12345));
  auto message = testing::send(*it);
  int used = -1;
  auto receive = [&] {
    std::vector<base::fd> none;
    std::optional<wire::malformed> fault;
    ASSERT_TRUE(decode(message.bytes.view(), std::move(none), wire::mode::local, fault));
  };
  auto work = [&] {
    receive();
    used = allocations(receive);
  };
  std::thread(work).join();
  const int before = living;
  std::thread(work).join();
  EXPECT_EQ(living, before);
  if (base::keeps_memory) {
    EXPECT_EQ(used, 0);
  }
}

TEST(ObjectAllocations, ForwardingAReceivedMessageMakesNoObjects) {
  auto it = dictionary::create();
  auto list = array::create();
  for (int i = 0; i < 1000; ++i) {
    auto row = dictionary::create();
    row->set("n", make_int64(i));
    list->append(row);
  }
  it->set("list", list);
  auto got = testing::round_trip(*it);
  base::buffer out;
  attachments with;
  EXPECT_EQ(allocations([&] { EXPECT_FALSE(encode(*got, out, with)); }), 0);
  got->set("more", make_int64(1));
  out.clear();
  EXPECT_EQ(allocations([&] { EXPECT_FALSE(encode(*got, out, with)); }), 0);
}

TEST(ObjectAllocations, T42_ManyKeysCostABoundedMultipleOfTheirBytes) {
  auto it = dictionary::create();
  constexpr int keys = 100'000;
  for (int i = 0; i < keys; ++i) it->set(std::to_string(i), make_int64(i));
  auto got = testing::round_trip(*it);
  EXPECT_LE(allocations([&] {
              for (int i = 0; i < keys; ++i) EXPECT_EQ(got->find("1").to_bits(), 1u);
            }),
            4);  // the index, once
}

}  // namespace
}  // namespace openxpc::object
