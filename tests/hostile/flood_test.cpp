// Too much of everything: messages, rows and answers that nobody reads, connections without a
// word. What one client makes the service hold is bounded, and the others are served.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "hostile/raw.hpp"
#include "hostile/scene.hpp"

using system_test::number_at;
using xpc_testing::role_call;

namespace hostile {
namespace {

// --- T48 -----------------------------------------------------------------------------------------

/// SOCKET COUNT: so many messages as fast as the credit allows.
XPC_TEST_ROLE(flood) {
  line talk = line::greeted(call.arguments.at(0));
  const std::string body = op("flood", {{"v", data_value(std::string(1000, 'f'))}});
  for (int left = std::stoi(call.arguments.at(1)); left > 0; --left)
    expect(talk.send_long({.what = message, .body = body}), "the service left");
  expect(talk.send(pack({{.what = request, .id = 1, .body = op("hello")}})), "no request");
  expect(talk.answer_to(1).has_value(), "no answer");
  return 0;
}

TEST_F(Attack, T48_EightClientsThatFloodLoseNothingAndTakeBoundedMemory) {
  std::vector<xpc_testing::child> all;
  for (int i = 0; i < 8; ++i) all.push_back(attacker("flood", {"5000"}));
  for (int i = 0; i < 200; ++i) expect_answers();
  for (xpc_testing::child& one : all) EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  system_test::answer count = honest.call("count");
  ASSERT_TRUE(count);
  EXPECT_EQ(number_at(count.reply, "messages"), 8 * 5000);
  // 1 MiB of credit each, and what decoding takes.
  expect_peak_below(64u << 20);
  expect_unharmed();
}

/// SOCKET POLICY ROWS: subscribes, reads nothing until it is told to, then counts.
XPC_TEST_ROLE(stalled_reader) {
  line talk = line::greeted(call.arguments.at(0));
  const int policy = std::stoi(call.arguments.at(1));
  const std::uint64_t rows = std::stoull(call.arguments.at(2));
  const std::uint64_t room = 65536;
  expect(talk.send(pack({{.what = subscribe,
                          .id = 1,
                          .body = op("rows", {{"policy", int64_value(policy)},
                                              {"size", int64_value(1000)},
                                              {"rows", int64_value(static_cast<int>(rows))}}),
                          .row_credit = room}})),
         "no subscription");
  xpc_testing::say("subscribed");
  xpc_testing::hear();
  std::uint64_t next = 0, got = 0, missed = 0, bytes = 0;
  while (std::optional<frame> each = talk.receive()) {
    if (each->what == row) {
      expect(*each->sequence >= next, "the sequence of rows falls");
      missed += *each->sequence - next;
      next = *each->sequence + 1;
      ++got;
      bytes += (16 + 8 + each->body.size() + 7) / 8 * 8;
      talk.send(pack({{.what = credit, .id = 1, .body = number(room + bytes)}}));
    }
    if (each->what == end) missed += *each->sequence - next;
    if (each->what == end || each->what == failure) {
      xpc_testing::say(each->what == end ? "end" : "failure");
      xpc_testing::say(std::to_string(got) + " of " + std::to_string(got + missed));
      return 0;
    }
  }
  return 1;
}

class Stalled : public Attack {
 protected:
  static constexpr std::int64_t rows = 50'000;
  /// What a reader that was stopped, and then read on, counts: rows it got, rows there were.
  std::pair<std::int64_t, std::int64_t> read_late(openxpc_when_full policy, const char* last) {
    xpc_testing::child one =
        attacker("stalled_reader", {std::to_string(policy), std::to_string(rows)});
    one.expect_line("subscribed");
    one.kill(SIGSTOP);
    xpc_testing::wait_until("the rows to be written",
                            [&] { return number_at(honest.call("count").reply, "writers") == 1; });
    expect_memory_below(16u << 20);
    expect_answers();
    EXPECT_TRUE(honest.call("let-go"));
    one.kill(SIGCONT);
    one.write_line("read");
    one.expect_line(last);
    const std::string counts = one.read_line().value_or("");
    EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
    expect_unharmed();
    return {std::stoll(counts), std::stoll(counts.substr(counts.find("of ") + 3))};
  }
};

TEST_F(Stalled, T48_AStoppedReaderOfTheNewestRowsIsToldWhatItMissed) {
  auto [got, all] = read_late(OPENXPC_WHEN_FULL_DROP_OLDEST, "end");
  EXPECT_EQ(all, rows);
  EXPECT_GT(got, 60);
  EXPECT_LT(got, rows);
}

TEST_F(Stalled, T48_AStoppedReaderOfTheOldestRowsIsToldWhatItMissed) {
  auto [got, all] = read_late(OPENXPC_WHEN_FULL_DROP_NEWEST, "end");
  EXPECT_EQ(all, rows);
  EXPECT_GT(got, 60);
  EXPECT_LT(got, rows);
}

TEST_F(Stalled, T48_ForAStoppedReaderThatMayLoseNothingTheWriterWaits) {
  auto [got, all] = read_late(OPENXPC_WHEN_FULL_WAIT, "end");
  EXPECT_EQ(all, got) << "what did not fit was refused to the writer, not lost";
  EXPECT_LT(got, rows);
}

TEST_F(Stalled, T48_AStoppedReaderIsCutOffWhereThatIsThePolicy) {
  auto [got, all] = read_late(OPENXPC_WHEN_FULL_DISCONNECT, "failure");
  EXPECT_EQ(all, got);
  EXPECT_LT(got, rows);
}

/// SOCKET COUNT SIZE: asks for so many answers and reads none until it is told to, then all.
XPC_TEST_ROLE(asker_that_does_not_read) {
  line talk = line::greeted(call.arguments.at(0));
  const int count = std::stoi(call.arguments.at(1));
  const int size = std::stoi(call.arguments.at(2));
  for (int i = 1; i <= count; ++i)
    expect(talk.send_long({.what = request,
                           .id = static_cast<std::uint64_t>(i),
                           .body = op("blob", {{"size", int64_value(size)}})}),
           "the service left");
  xpc_testing::say("asked");
  xpc_testing::hear();
  int whole = 0;
  std::map<std::uint64_t, int> got;
  while (whole < count) {
    std::optional<frame> each = talk.receive();
    expect(each.has_value(), "the service left before it had answered everything");
    if (each->what != reply) continue;
    got[each->id] += static_cast<int>(each->body.size());
    if (each->more) continue;
    expect(got[each->id] > size, "an answer is too short");
    ++whole;
  }
  return 0;
}

TEST_F(Attack, T48_AnswersThatNobodyReadsAreBoundedAndNoneIsLost) {
  xpc_testing::child one = attacker("asker_that_does_not_read", {"1000", std::to_string(1 << 20)});
  one.expect_line("asked");
  xpc_testing::wait_until("answers to wait",
                          [&] { return number_at(honest.call("count").reply, "blobs") >= 4; });
  for (int i = 0; i < 50; ++i) expect_answers();
  one.write_line("read");
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  // 4 MiB of answers may wait, and one more is being made; of 1,000.
  expect_peak_below(32u << 20);
  expect_unharmed();
}

// --- T49 -----------------------------------------------------------------------------------------

/// SOCKET COUNT: so many connections that say nothing.
XPC_TEST_ROLE(half_open) {
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<line> all;
  for (int left = std::stoi(call.arguments.at(1)); left > 0; --left) {
    line one = line::to(call.arguments.at(0));
    if (!one) break;
    all.push_back(std::move(one));
  }
  xpc_testing::say("connected");
  xpc_testing::hear();
  std::size_t refused = 0;
  for (line& one : all) {
    std::optional<frame> first = one.receive();
    refused += first && first->what == refusal &&
               first->body.find("not said hello yet") != std::string::npos;
  }
  xpc_testing::say(std::to_string(refused));
  return 0;
}

/// SOCKET COUNT: connects and leaves, so many times.
XPC_TEST_ROLE(connect_and_close) {
  for (int left = std::stoi(call.arguments.at(1)); left > 0; --left) line::to(call.arguments.at(0));
  return 0;
}

TEST_F(Attack, T49_ConnectionsWithoutAWordAreBoundedAndOthersServed) {
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 6000) GTEST_SKIP() << "NOT SHOWN: needs 6,000 descriptors";
  xpc_testing::child few = attacker("half_open", {"3000"});
  few.expect_line("connected");
  expect_answers();
  EXPECT_TRUE(xpcd.open(name).call("hello")) << "a newcomer is served among half-open ones";
  xpc_testing::child more = attacker("half_open", {"1500"});
  more.expect_line("connected");
  expect_answers();
  more.write_line("count");
  // 4,096 may be half open; what goes beyond is told why.
  EXPECT_EQ(more.read_line(), std::to_string(3000 + 1500 - 4096));
  more.wait();
  few.write_line("count");
  few.expect_line("0");
  few.wait();
  expect_unharmed(std::size_t{40} << 20);
}

TEST_F(Attack, T49_ConnectingAndLeavingOverAndOverHarmsNeitherServiceNorManager) {
  const std::size_t before = xpc_testing::descriptor_count(xpcd.pid());
  // 100,000 all in all.
  const char* each = xpc_testing::has_sanitizer ? "5000" : "50000";
  xpc_testing::child one = attacker("connect_and_close", {each});
  xpc_testing::child other = xpc_testing::child::role(
      "connect_and_close", {.arguments = {xpcd.directory() + "/.control", each}});
  // Where a process may have few descriptors, users are told to try again while they do this to
  // themselves.
  const auto is_running = [&] {
    try {
      return system_test::text_at(xpcd.print("victim"), "state") == "running";
    } catch (const std::exception& why) {
      EXPECT_NE(std::string(why.what()).find("too many clients of this user"), std::string::npos)
          << why.what();
      return false;
    }
  };
  for (int i = 0; i < 50; ++i) {
    expect_answers();
    xpc_testing::wait_until("the manager to say that the victim runs", is_running);
  }
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  EXPECT_EQ(other.wait(), (xpc_testing::ending{0, 0}));
  expect_unharmed();
  // Of the connections none is left; a few descriptors are opened once, the first time that they
  // are needed.
  xpc_testing::wait_until("the manager's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(xpcd.pid()) <= before + 8; });
}

/// SOCKET COUNT: so many clients that say something once and stay, or as many as are let in.
XPC_TEST_ROLE(staying) {
  std::vector<line> all;
  for (int left = std::stoi(call.arguments.at(1)); left > 0; --left) {
    line one = line::to(call.arguments.at(0));
    if (!one || !one.greet() ||
        !one.send(pack({{.what = request, .id = 1, .body = op("hello")}})) || !one.answer_to(1)) {
      break;
    }
    all.push_back(std::move(one));
  }
  xpc_testing::say("staying");
  xpc_testing::hear();
  return 0;
}

/// SOCKET COUNT: so many clients that say hello and no more; who is told to wait comes again.
XPC_TEST_ROLE(silent_after_hello) {
  const auto count = static_cast<std::size_t>(std::stoi(call.arguments.at(1)));
  std::vector<line> all;
  while (all.size() < count) {
    line one = line::to(call.arguments.at(0));
    if (one && one.greet()) all.push_back(std::move(one));
  }
  xpc_testing::say("all in");
  xpc_testing::hear();
  return 0;
}

/// A service with 200 descriptors: 50 clients of a user may be half open.
class Modest : public Attack {
 protected:
  Modest() : Attack({"200"}) {}
};

TEST_F(Modest, T49_WhoHasSaidHelloTakesNoShareOfTheHalfOpen) {
  xpc_testing::child many = attacker("silent_after_hello", {"70"});
  many.expect_line("all in");
  expect_answers();
  EXPECT_TRUE(xpcd.open(name).call("hello")) << "a newcomer of the same user is let in";
  many.kill(SIGKILL);
  many.wait();
  expect_unharmed();
}

TEST_F(Modest, T49_AnHonestClientAmongTheHalfOpenOfItsUserIsToldToTryAgainAndThenServed) {
  xpc_testing::child silent = attacker("half_open", {"60"});
  silent.expect_line("connected");
  system_test::answer refused = xpcd.open(name).call("hello");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.code, OPENXPC_ERROR_TOO_MANY) << refused.message;
  EXPECT_NE(refused.message.find("of this user have connected and not said hello yet; try again"),
            std::string::npos)
      << refused.message;
  EXPECT_TRUE(refused.flags & OPENXPC_ERROR_CAN_RETRY);
  EXPECT_TRUE(refused.flags & OPENXPC_ERROR_NOT_ACCEPTED);
  expect_answers();
  silent.kill(SIGKILL);
  silent.wait();
  xpc_testing::wait_until("room", [&] { return bool(xpcd.open(name).call("hello")); });
  expect_unharmed();
}

/// A service that may have few descriptors.
class Starved : public Attack {
 protected:
  Starved() : Attack({"60"}) {}
};

TEST_F(Starved, T49_AtTheLimitOfDescriptorsClientsAreToldWhyAndTheServiceGoesOn) {
  xpc_testing::child one = attacker("staying", {"200"});
  one.expect_line("staying");
  expect_answers();
  // Those that cannot be let in are refused one by one, with the reason; nobody hangs.
  system_test::session late = xpcd.open(name);
  system_test::answer refused = late.call("hello");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.code, OPENXPC_ERROR_NO_RESOURCES) << refused.message;
  EXPECT_NE(refused.message.find("no descriptor left for another client"), std::string::npos)
      << refused.message;
  EXPECT_TRUE(refused.flags & OPENXPC_ERROR_CAN_RETRY);
  expect_answers();
  one.kill(SIGKILL);
  one.wait();
  expect_unharmed();
}

}  // namespace
}  // namespace hostile
