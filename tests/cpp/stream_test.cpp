// Streams, their writers, generators and broadcasts.

#include "support/mailbox.hpp"

#include <xpc/xpc.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>

using namespace std::chrono_literals;
using xpc_testing::event;
using xpc_testing::mailbox;

namespace {

struct pair {
  explicit pair(xpc::subscription_handler handler, xpc::session_options client = {})
      : listener(xpc::listener::anonymous({.on_subscribe = std::move(handler)}).value()),
        session(xpc::session::open(listener.make_endpoint(), std::move(client)).value()) {}
  xpc::listener listener;
  xpc::session session;
};

xpc::generator<xpc::dictionary> count_to(std::int64_t last) {
  for (std::int64_t n = 1; n <= last; ++n) co_yield {{"n", n}};
}

xpc::subscription_handler counting() {
  return [](const xpc::dictionary& q) { return count_to(q.get<std::int64_t>("last").value()); };
}

}  // namespace

TEST(CppGenerator, YieldsUntilItsEnd) {
  auto rows = count_to(2);
  EXPECT_EQ(rows.next()->get<int>("n").value(), 1);
  EXPECT_EQ(rows.next()->get<int>("n").value(), 2);
  EXPECT_FALSE(rows.next());
  EXPECT_FALSE(rows.next());
  auto failing = []() -> xpc::generator<int> {
    co_yield 1;
    throw std::runtime_error("oops");
  }();
  EXPECT_EQ(failing.next(), 1);
  EXPECT_THROW(failing.next(), std::runtime_error);
  EXPECT_FALSE(failing.next());
}

TEST(CppStream, DeliversEachRowOnceInOrderThenItsEnd) {
  pair both(counting());
  // Credit for few rows at a time, so that the generator has to wait.
  auto rows = both.session.subscribe({{"last", 20'000}}, {.credit_bytes = 64 << 10});
  std::uint64_t expected = 0;
  while (auto row = rows.next().wait()) {
    EXPECT_EQ(row->sequence, expected);
    EXPECT_EQ(row->missed, 0u);
    ASSERT_EQ(row->value.get<std::uint64_t>("n").value(), ++expected);
  }
  EXPECT_EQ(expected, 20'000u);
  EXPECT_TRUE(rows.outcome());
  EXPECT_EQ(rows.next().wait().error(), xpc::errc::end_of_stream);
  EXPECT_EQ(rows.counts().delivered, 20'000u);
  EXPECT_EQ(rows.counts().missed, 0u);
}

TEST(CppStream, IsAwaited) {
  pair both(counting());
  xpc::run_loop loop;
  auto sum = [](xpc::peer service) -> xpc::task<std::int64_t> {
    auto rows = service.subscribe({{"last", 10'000}}, {.credit_bytes = 64 << 10});
    std::int64_t total = 0;
    while (auto row = co_await rows.next()) total += row->value.get<std::int64_t>("n").value();
    rows.outcome().value();
    co_return total;
  };
  EXPECT_EQ(loop.run(sum(both.session)).value(), 50'005'000);
  EXPECT_EQ(sum(both.session).start().wait().value(), 50'005'000);
}

TEST(CppStream, IsRefusedWithAReason) {
  pair both([](xpc::subscription s) {
    std::move(s).refuse(xpc::failure("org.example", 3, "closed today"));
  });
  auto rows = both.session.subscribe({{"op", "live"}});
  auto row = rows.next().wait();
  EXPECT_EQ(row.error().domain(), "org.example");
  EXPECT_EQ(rows.outcome().error().number(), 3);
  pair misread(counting());
  auto wrong = misread.session.subscribe({{"last", "many"}});
  EXPECT_EQ(wrong.next().wait().error(), xpc::errc::wrong_type);
  pair dropped([](xpc::subscription) {});
  EXPECT_EQ(dropped.session.subscribe({}).next().wait().error(), xpc::errc::no_reply);
  auto listener = xpc::listener::anonymous({}).value();
  auto nobody = xpc::session::open(listener.make_endpoint()).value();
  EXPECT_EQ(nobody.subscribe({}).next().wait().error(), xpc::errc::unknown_method);
}

TEST(CppStream, FailsInTheMiddle) {
  pair both([](xpc::subscription s) {
    auto rows = std::move(s).accept();
    rows.try_send({{"n", 1}}).value();
    std::move(rows).fail(xpc::failure("org.example", 4, "the disk is full"));
  });
  auto rows = both.session.subscribe({});
  EXPECT_EQ(rows.next().wait().value().value.get<int>("n").value(), 1);
  EXPECT_EQ(rows.next().wait().error().number(), 4);
  EXPECT_EQ(rows.outcome().error().message(), "the disk is full");
}

TEST(CppStream, AGeneratorsFailureEndsIt) {
  pair both([](const xpc::dictionary& q) -> xpc::generator<xpc::dictionary> {
    co_yield {{"n", 1}};
    q.get<int>("absent").value();
  });
  auto rows = both.session.subscribe({});
  EXPECT_TRUE(rows.next().wait());
  EXPECT_EQ(rows.next().wait().error(), xpc::errc::missing_key);
}

TEST(CppStream, TheReaderLeaves) {
  // Shared: what a coroutine captures by reference would have to outlive it.
  auto left = std::make_shared<mailbox<xpc::errc>>();
  pair both([left](xpc::subscription s) -> xpc::task<> {
    auto rows = std::move(s).accept({.policy = xpc::when_full::wait});
    event stopped;
    std::stop_callback watch(rows.stop_token(), [&] { stopped.set(); });
    xpc::result<void> sent;
    for (int n = 0; sent; ++n) sent = co_await rows.send({{"n", n}});
    stopped.wait();
    left->put(sent.error().code());
  });
  {
    auto rows = both.session.subscribe({});
    for (int n = 0; n < 100; ++n)
      EXPECT_EQ(rows.next().wait().value().value.get<int>("n").value(), n);
  }
  EXPECT_EQ(left->take(), xpc::errc::canceled);
  std::stop_source user;
  auto stopped = both.session.subscribe({}, {.stop = user.get_token()});
  EXPECT_TRUE(stopped.next().wait());
  user.request_stop();
  xpc::result<xpc::row<xpc::dictionary>> row = stopped.next().wait();
  while (row) row = stopped.next().wait();
  EXPECT_EQ(row.error(), xpc::errc::canceled);
  EXPECT_EQ(left->take(), xpc::errc::canceled);
}

TEST(CppStream, ClosingTheListenerEndsIt) {
  xpc::broadcast<xpc::dictionary> live;
  mailbox<bool> added;
  auto ended = std::make_shared<event>();
  pair both([&live, &added, ended](xpc::subscription s) -> xpc::task<> {
    if (s.get<bool>("live").value()) {
      live.add(std::move(s));
      added.put(true);
      co_return;
    }
    auto rows = std::move(s).accept({.policy = xpc::when_full::wait});
    xpc::result<void> sent;
    for (int n = 0; sent; ++n) sent = co_await rows.send({{"n", n}});
    ended->set();
  });
  auto silent = both.session.subscribe({{"live", true}});
  auto endless = both.session.subscribe({{"live", false}});
  added.take();
  EXPECT_TRUE(endless.next().wait());
  EXPECT_TRUE(both.listener.close().wait());
  EXPECT_FALSE(silent.next().wait());
  ended->wait();
}

TEST(CppStream, LooksWithoutWaiting) {
  mailbox<xpc::stream_writer<xpc::dictionary>> writers;
  pair both([&](xpc::subscription s) { writers.put(std::move(s).accept()); });
  auto rows = both.session.subscribe({});
  auto writer = writers.take();
  EXPECT_FALSE(rows.try_next().value());
  writer.try_send({{"n", 1}}).value();
  auto first = rows.next();
  EXPECT_EQ(first.wait().value().value.get<int>("n").value(), 1);
  EXPECT_FALSE(rows.try_next().value());
  {
    auto to_end = std::move(writer);
  }
  EXPECT_EQ(rows.next().wait().error(), xpc::errc::end_of_stream);
  EXPECT_EQ(rows.try_next().error(), xpc::errc::end_of_stream);
}

TEST(CppStream, ANextThatIsThrownAwayLosesNothing) {
  pair both(counting());
  auto rows = both.session.subscribe({{"last", 3}});
  {
    auto unused = rows.next();
  }
  for (int n = 1; n <= 3; ++n) EXPECT_EQ(rows.next().wait().value().value.get<int>("n").value(), n);
  auto outlives = rows.next();
  {
    auto gone = std::move(rows);
  }
  EXPECT_FALSE(outlives.wait());
}

TEST(CppStream, DropsTheOldestAndCountsThem) {
  event full;
  mailbox<xpc::stream_writer<xpc::dictionary>> writers;
  pair both([&](xpc::subscription s) {
    writers.put(
        std::move(s).accept({.buffer_bytes = 64 << 10, .policy = xpc::when_full::drop_oldest}));
  });
  auto rows = both.session.subscribe({}, {.credit_bytes = 64 << 10});
  auto writer = writers.take();
  std::string filling(1000, 'x');
  for (int n = 0; n < 1000; ++n) writer.try_send({{"n", n}, {"filling", filling}}).value();
  EXPECT_GT(writer.counts().missed, 0u);
  {
    auto to_end = std::move(writer);
  }
  std::uint64_t seen = 0, missed = 0, next = 0;
  while (auto row = rows.next().wait()) {
    EXPECT_EQ(row->sequence, next + row->missed);
    EXPECT_EQ(row->value.get<std::uint64_t>("n").value(), row->sequence);
    next = row->sequence + 1;
    missed += row->missed;
    ++seen;
  }
  EXPECT_TRUE(rows.outcome());
  EXPECT_GT(missed, 0u);
  EXPECT_EQ(seen + missed, 1000u);
  EXPECT_EQ(next, 1000u);
}

TEST(CppStream, SaysWouldBlockWhenItsPolicyIsToWait) {
  mailbox<xpc::stream_writer<xpc::dictionary>> writers;
  pair both(
      [&](xpc::subscription s) { writers.put(std::move(s).accept({.buffer_bytes = 64 << 10})); });
  auto rows = both.session.subscribe({}, {.credit_bytes = 64 << 10});
  auto writer = writers.take();
  std::string filling(1000, 'x');
  xpc::result<void> sent;
  int count = 0;
  for (; count < 10'000 && sent; ++count) sent = writer.try_send({{"filling", filling}});
  EXPECT_EQ(sent.error(), xpc::errc::would_block);
  auto waiting = writer.send({{"last", true}, {"filling", filling}});
  EXPECT_FALSE(waiting.ready());
  std::thread reader([&] {
    while (auto row = rows.next().wait())
      if (row->value.contains("last")) break;
  });
  EXPECT_TRUE(waiting.wait());
  {
    auto to_end = std::move(writer);
  }
  reader.join();
}

TEST(CppStream, CarriesOtherTypesThanDictionaries) {
  pair both([](xpc::subscription s) {
    auto rows = std::move(s).accept<int>();
    for (int n = 0; n < 3; ++n) rows.try_send(n).value();
  });
  auto rows = both.session.subscribe<int>({});
  int expected = 0;
  while (auto row = rows.next().wait()) EXPECT_EQ(row->value, expected++);
  EXPECT_EQ(expected, 3);
}

TEST(CppStream, EndsWithTheConversation) {
  mailbox<xpc::stream_writer<xpc::dictionary>> writers;
  event stopped;
  pair both([&](xpc::subscription s) { writers.put(std::move(s).accept()); });
  auto rows = both.session.subscribe({});
  auto writer = writers.take();
  std::stop_callback watch(writer.stop_token(), [&] { stopped.set(); });
  both.session.cancel();
  EXPECT_EQ(rows.next().wait().error(), xpc::errc::canceled);
  stopped.wait();
  EXPECT_EQ(writer.try_send({}).error(), xpc::errc::canceled);
}

TEST(CppBroadcast, GivesEveryRowToEverybody) {
  xpc::broadcast<xpc::dictionary> live;
  mailbox<bool> added;
  pair both([&](xpc::subscription s) {
    live.add(std::move(s));
    added.put(true);
  });
  auto second = xpc::session::open(both.listener.make_endpoint()).value();
  auto one = both.session.subscribe({});
  auto other = second.subscribe({});
  added.take();
  added.take();
  EXPECT_EQ(live.subscriber_count(), 2u);
  std::thread sender([&] {
    for (int n = 0; n < 1000; ++n) EXPECT_FALSE(live.send({{"n", n}}));
  });
  for (int n = 0; n < 1000; ++n) {
    ASSERT_EQ(one.next().wait().value().value.get<int>("n").value(), n);
    ASSERT_EQ(other.next().wait().value().value.get<int>("n").value(), n);
  }
  sender.join();
  {
    auto gone = std::move(other);
  }
  xpc_testing::wait_until("one has left", [&] { return live.subscriber_count() == 1; });
  EXPECT_FALSE(live.send({{"n", 1000}}));
  EXPECT_EQ(one.next().wait().value().value.get<int>("n").value(), 1000);
}

TEST(CppBroadcast, ASlowReaderIsToldWhatItMissedAndHoldsUpNobody) {
  xpc::broadcast<xpc::dictionary> live;
  mailbox<bool> added;
  pair both([&](xpc::subscription s) {
    live.add(std::move(s), {.buffer_bytes = 64 << 10, .policy = xpc::when_full::drop_oldest});
    added.put(true);
  });
  auto slow = both.session.subscribe({}, {.credit_bytes = 64 << 10});
  added.take();
  std::string filling(1000, 'x');
  for (int n = 0; n < 2000; ++n) EXPECT_FALSE(live.send({{"n", n}, {"filling", filling}}));
  std::uint64_t seen = 0, missed = 0;
  for (;;) {
    auto row = slow.next().wait().value();
    ++seen;
    missed += row.missed;
    if (row.sequence == 1999) break;
  }
  EXPECT_GT(missed, 0u);
  EXPECT_EQ(seen + missed, 2000u);
}

TEST(CppBroadcast, DestroyingItEndsTheStreams) {
  auto live = std::make_unique<xpc::broadcast<xpc::dictionary>>();
  mailbox<bool> added;
  pair both([&](xpc::subscription s) {
    live->add(std::move(s));
    added.put(true);
  });
  auto rows = both.session.subscribe({});
  added.take();
  live->send({{"n", 1}});
  live.reset();
  EXPECT_TRUE(rows.next().wait());
  EXPECT_EQ(rows.next().wait().error(), xpc::errc::end_of_stream);
  EXPECT_TRUE(rows.outcome());
}
