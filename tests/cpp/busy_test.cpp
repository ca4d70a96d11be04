// A conversation in which one call follows the other moves from its socket to shared memory on the
// way. Nobody is to notice, whenever that happens.
#include <xpc/xpc.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "pair.hpp"

namespace {

int open_descriptors() {
  int count = 0;
  for (int each = 0; each < 1024; ++each) count += ::fcntl(each, F_GETFD) >= 0;
  return count;
}

}  // namespace

TEST(CppBusy, CallsInARowKeepTheirOrderTheirDescriptorsAndTheirSizes) {
  pair both({.on_request = echo});
  struct stat wanted{};
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::fstat(null, &wanted), 0);
  int before = 0;
  for (int i = 0; i < 3000; ++i) {
    xpc::dictionary question{{"n", i}};
    if (i % 50 == 0) question.set("file", xpc::fd::copy(null).value());
    if (i % 70 == 0) question.set("text", std::string(30'000, 'x'));
    if (i % 501 == 0) question.set("long", std::string(1'000'000, 'y'));
    auto reply = both.session.call(question).wait();
    ASSERT_TRUE(reply) << i << ": " << reply.error().message();
    ASSERT_EQ(reply->get<int>("n").value(), i);
    if (i % 50 == 0) {
      struct stat got{};
      ASSERT_EQ(::fstat(reply->get<xpc::fd>("file").value().get(), &got), 0);
      EXPECT_EQ(got.st_rdev, wanted.st_rdev);
    }
    if (i % 70 == 0) {
      EXPECT_EQ(reply->get<std::string_view>("text").value().size(), 30'000u);
    }
    if (i % 501 == 0) {
      EXPECT_EQ(reply->get<std::string_view>("long").value().size(), 1'000'000u);
    }
    if (i == 1000) before = open_descriptors();
  }
  EXPECT_LE(open_descriptors(), before + 8);  // threads may have come, with a descriptor each
  ::close(null);
}

TEST(CppBusy, MessagesAndCallsOfManyThreadsArriveEachOnce) {
  constexpr int threads = 4, calls = 1500;
  std::atomic<int> messages{0};
  pair both({.on_request = [&](const xpc::dictionary& q) -> xpc::result<xpc::dictionary> {
    if (q.contains("message")) ++messages;
    return q;
  }});
  // One alone first, as a client that calls in a row.
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(both.session.call({{"n", i}}).wait());
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < calls; ++i) {
        const int number = t * calls + i;
        auto reply = both.session.call({{"n", number}}).wait();
        ASSERT_TRUE(reply) << reply.error().message();
        ASSERT_EQ(reply->get<int>("n").value(), number);
        if (i % 3 == 0) {
          ASSERT_TRUE(both.session.send({{"message", i}}));
        }
      }
    });
  for (auto& each : all) each.join();
  ASSERT_TRUE(both.session.call({{"n", 0}}).wait());
  EXPECT_EQ(messages.load(), threads * calls / 3);
}
