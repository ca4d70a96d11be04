#include "channel/channel.hpp"

#include "channel/test_support.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

// Whole channels, over each wire: the conversation when all goes well.
namespace openxpc::channel::testing {
namespace {

class ChannelPair : public ::testing::TestWithParam<wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, ChannelPair,
                         ::testing::Values(wire::socket, wire::loopback, wire::ring), name_of_wire);

TEST_P(ChannelPair, OpensAndKnowsThePeer) {
  conversation pair(GetParam());
  ASSERT_TRUE(pair.client.heard->until([&] { return pair.client.heard->opened_count == 1; }));
  ASSERT_TRUE(pair.server.heard->until([&] { return pair.server.heard->opened_count == 1; }));
  EXPECT_EQ(pair.client.heard->peer_pid, ::getpid());
  EXPECT_EQ(pair.server.heard->peer_pid, ::getpid());
  ASSERT_NE(pair.client.line->peer(), nullptr);
  EXPECT_TRUE(pair.client.line->peer()->same_clock);
  EXPECT_EQ(pair.client.line->peer()->message_bytes, settings{}.message_bytes);
}

TEST_P(ChannelPair, TellsOptionsOfTheHello) {
  settings of_server;
  of_server.options = {{option::service_name, "org.example.thing"}};
  settings of_client;
  of_client.options = {{option::interface, "first"}, {0x7fff, "unknown, may be ignored"}};
  conversation pair(GetParam(), of_server, of_client);
  ASSERT_EQ(pair.client.call("x"), "re:x");
  const std::string* name = pair.client.line->peer()->find(option::service_name);
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, "org.example.thing");
  const std::string* interface = pair.server.line->peer()->find(option::interface);
  ASSERT_TRUE(interface);
  EXPECT_EQ(*interface, "first");
}

TEST_P(ChannelPair, AnswersSynchronousCalls) {
  conversation pair(GetParam());
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(pair.client.call("a" + std::to_string(i)), "re:a" + std::to_string(i));
  EXPECT_EQ(pair.client.line->count().answers_received, 1000u);
}

TEST_P(ChannelPair, CallsGoBothWaysAtOnce) {
  conversation pair(GetParam());
  pair.client.heard->on_arrival = conversation::echo;
  std::thread other([&] {
    for (int i = 0; i < 300; ++i)
      EXPECT_EQ(pair.server.call(std::to_string(i)), "re:" + std::to_string(i));
  });
  for (int i = 0; i < 300; ++i)
    EXPECT_EQ(pair.client.call(std::to_string(i)), "re:" + std::to_string(i));
  other.join();
}

TEST_P(ChannelPair, CallsFromManyThreadsEachGetTheirAnswer) {
  conversation pair(GetParam());
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 6; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        if (pair.client.call(text) != "re:" + text) ++wrong;
      }
    });
  for (auto& each : callers) each.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(ChannelPair, KeepsTheOrderOfMessages) {
  conversation pair(GetParam());
  constexpr std::size_t count = 20000;
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_TRUE(pair.client.say(kind::message, std::to_string(i)).taken());
  ASSERT_TRUE(pair.server.heard->until_things(count));
  pair.server.heard->look([&] {
    for (std::size_t i = 0; i < count; ++i) {
      if (pair.server.heard->things[i].body == std::to_string(i)) continue;
      ADD_FAILURE() << i;
      break;
    }
    return 0;
  });
  // A single producer in a loop shares packets: that is what gathering is for.
  EXPECT_LT(pair.client.line->count().packets_sent, count / 2);
}

TEST_P(ChannelPair, MessagesAndRequestsKeepOneOrder) {
  conversation pair(GetParam());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(pair.client.say(kind::message, "m" + std::to_string(i)).taken());
    if (i % 10 == 0) {
      ASSERT_TRUE(pair.client.ask("r" + std::to_string(i), base::make_ref<pending_call>()).taken());
    }
  }
  ASSERT_TRUE(pair.server.heard->until_things(220));
  pair.server.heard->look([&] {
    std::size_t at = 0;
    for (int i = 0; i < 200; ++i) {
      EXPECT_EQ(pair.server.heard->things[at++].body, "m" + std::to_string(i));
      if (i % 10 == 0) {
        EXPECT_EQ(pair.server.heard->things[at++].body, "r" + std::to_string(i));
      }
    }
    return 0;
  });
}

/// Bytes that show where they are.
std::string patterned(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
  return out;
}

TEST_P(ChannelPair, CarriesMessagesOfEverySize) {
  conversation pair(GetParam());
  for (std::size_t size : {0ul, 1ul, 7ul, 8ul, 2048ul, 2049ul, 65536ul, 212900ul, 212944ul,
                           212945ul, 300000ul, 1048576ul, 5000001ul}) {
    const std::string text = patterned(size);
    ASSERT_EQ(pair.client.call(text), "re:" + text) << size;
  }
}

TEST_P(ChannelPair, ContinuedMessagesOfBothSidesCross) {
  conversation pair(GetParam());
  pair.client.heard->on_arrival = conversation::echo;
  const std::string text = patterned(3'000'000);
  std::thread other([&] {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(pair.server.call(text) == "re:" + text);
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(pair.client.call(text) == "re:" + text);
  other.join();
}

TEST_P(ChannelPair, MessagesBeyondTheCreditWaitUntilLetGo) {
  settings small;
  small.credit_bytes = 65536;
  conversation pair(GetParam(), small);
  pair.server.heard->keep_charges = true;
  const std::string text = patterned(1000);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(pair.client.say(kind::message, text).taken());
  // So much fits: 64 frames of 1016 bytes.
  ASSERT_TRUE(pair.server.heard->until_things(64));
  EXPECT_GT(pair.client.line->unsent_bytes(), 100'000u);
  EXPECT_EQ(pair.server.heard->look([&] { return pair.server.heard->things.size(); }), 64u);
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(pair.server.heard->until_things(i + 1));
    pair.server.line->let_go(
        pair.server.heard->look([&] { return pair.server.heard->things[i].held; }));
  }
}

TEST_P(ChannelPair, MessagesLargerThanTheCreditGetThroughOneAfterTheOther) {
  settings small;
  small.credit_bytes = 65536;
  small.message_bytes = 1 << 20;
  conversation pair(GetParam(), small, small);
  pair.server.heard->keep_charges = true;
  const std::string text = patterned(900'000);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair.client.say(kind::message, text).taken());
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(pair.server.heard->until_things(i + 1));
    const kept thing = pair.server.heard->look([&] { return pair.server.heard->things[i]; });
    EXPECT_TRUE(thing.body == text);
    EXPECT_TRUE(thing.held.advanced);
    EXPECT_EQ(pair.server.heard->look([&] { return pair.server.heard->things.size(); }), i + 1);
    pair.server.line->let_go(thing.held);
  }
}

TEST_P(ChannelPair, TellsSendersWhoAskWhenTheOutboxIsFull) {
  settings limits;
  limits.unsent_bytes = 100'000;
  settings small;
  small.credit_bytes = 65536;
  conversation pair(GetParam(), small, limits);
  pair.server.heard->keep_charges = true;
  ASSERT_TRUE(pair.client.heard->until([&] { return pair.client.heard->opened_count == 1; }));
  const std::string text = patterned(5000);
  outgoing out;
  sent::outcome what = sent::outcome::left;
  int taken = 0;
  for (; taken < 1000; ++taken) {
    out = {};
    out.body = base::as_bytes(text);
    out.full = when_full::report;
    what = pair.client.line->send(std::move(out)).what;
    if (what > sent::outcome::queued) break;
  }
  EXPECT_EQ(what, sent::outcome::would_block);
  EXPECT_GE(taken, 26);  // 20 in the outbox, and of 13 by credit those that the wire has room for
  EXPECT_LE(taken, 34);
  EXPECT_EQ(pair.client.line->count().refused, 1u);
  for (std::size_t i = 0; i < static_cast<std::size_t>(taken); ++i) {
    ASSERT_TRUE(pair.server.heard->until_things(i + 1));
    pair.server.line->let_go(
        pair.server.heard->look([&] { return pair.server.heard->things[i].held; }));
  }
  EXPECT_TRUE(pair.client.heard->until([&] { return pair.client.heard->writable_count[0] == 1; }));
}

TEST_P(ChannelPair, TellsOnceWhenTooManyAnswersWaitAndOnceWhenTheyHaveLeft) {
  settings limits;
  limits.unsent_bytes = 1'000'000;
  conversation pair(GetParam(), limits);
  constexpr std::size_t count = 60;
  pair.server.heard->on_arrival = nullptr;
  // The client takes nothing while it is inside this.
  std::promise<void> read_on;
  std::shared_future<void> told = read_on.get_future().share();
  pair.client.heard->on_arrival = [told](recorder&, arrival&) { told.wait(); };
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_TRUE(pair.client.ask("a", base::make_ref<pending_call>()).taken());
  ASSERT_TRUE(pair.server.heard->until_things(count));
  const std::string text = patterned(100'000);
  int said = 0;
  for (std::size_t i = 0; i < count; ++i) {
    outgoing out;
    out.what = kind::reply;
    out.id = pair.server.heard->look([&] { return pair.server.heard->things[i].id; });
    out.body = base::as_bytes(text);
    const sent result = pair.server.line->send(std::move(out));
    ASSERT_TRUE(result.taken());
    said += result.answers_wait;
  }
  EXPECT_EQ(said, 1);
  EXPECT_EQ(pair.server.heard->look([&] { return pair.server.heard->answers_left_count; }), 0);
  read_on.set_value();
  ASSERT_TRUE(pair.client.heard->until_things(count));
  EXPECT_TRUE(pair.server.heard->until([&] { return pair.server.heard->answers_left_count == 1; }));
}

TEST_P(ChannelPair, CutsOffForSendersThatCannotBeTold) {
  settings limits;
  limits.unsent_bytes = 100'000;
  settings small;
  small.credit_bytes = 65536;
  conversation pair(GetParam(), small, limits);
  pair.server.heard->keep_charges = true;
  const std::string text = patterned(5000);
  bool over = false;
  for (int i = 0; i < 1000 && !over; ++i) {
    outgoing out;
    out.body = base::as_bytes(text);
    out.full = when_full::cut_off;
    over = pair.client.line->send(std::move(out)).what == sent::outcome::closed;
  }
  EXPECT_TRUE(over);
  ASSERT_TRUE(pair.client.heard->until_closed());
  EXPECT_EQ(pair.client.heard->end.why, closing::reason::not_taken);
  EXPECT_NE(pair.client.heard->end.text.find("has not read"), std::string::npos);
}

TEST_P(ChannelPair, ACallerInARowTakesTheEnginesThreadFromNobody) {
  conversation busy(GetParam());
  std::vector<std::unique_ptr<conversation>> others;
  for (int i = 0; i < 8; ++i) others.push_back(std::make_unique<conversation>(GetParam()));
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(busy.client.call("row"), "re:row");
    // Wherever the engine's thread is now: the others are served, and what the other side of the
    // busy channel wants is done.
    for (auto& each : others) ASSERT_EQ(each->client.call("other"), "re:other");
    std::promise<void> passed;
    busy.server.line->barrier([&passed] { passed.set_value(); });
    passed.get_future().wait();
    const std::size_t before =
        busy.client.heard->look([&] { return busy.client.heard->things.size(); });
    ASSERT_TRUE(busy.server.say(kind::message, "by itself").taken());
    ASSERT_TRUE(busy.client.heard->until_things(before + 1));
  }
  // It ends while it is lingered on.
  for (int i = 0; i < 50; ++i) ASSERT_EQ(busy.client.call("row"), "re:row");
  busy.server.line->cancel("enough");
  EXPECT_TRUE(busy.server.heard->until_closed());
  EXPECT_TRUE(busy.client.heard->until_closed());
}

TEST_P(ChannelPair, FloodsInBothDirectionsWithSlowHandlersNeitherStopNorLose) {
  conversation pair(GetParam());
  // Each message is answered by another one, from the reading thread: both sockets are full most of
  // the time.
  auto reflect = [](recorder& at, arrival& what) {
    if (what.what != kind::request) return;
    const std::string answer(20'000, 'r');
    outgoing out;
    out.what = kind::reply;
    out.id = what.id;
    out.body = base::as_bytes(answer);
    at.line->send(std::move(out));
  };
  pair.server.heard->on_arrival = reflect;
  pair.client.heard->on_arrival = reflect;
  constexpr std::size_t count = 2000;
  auto flood = [&](party& from) {
    const std::string text(20'000, 'q');
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_TRUE(from.ask(text, base::make_ref<pending_call>()).taken());
  };
  std::thread other([&] { flood(pair.server); });
  flood(pair.client);
  other.join();
  auto replies = [](recorder& of) {
    return static_cast<std::size_t>(
        std::count_if(of.things.begin(), of.things.end(),
                      [](const kept& each) { return each.what == kind::reply; }));
  };
  EXPECT_TRUE(pair.client.heard->until([&] { return replies(*pair.client.heard) == count; }));
  EXPECT_TRUE(pair.server.heard->until([&] { return replies(*pair.server.heard) == count; }));
}

TEST_P(ChannelPair, TimesOutAndSwallowsTheLateAnswer) {
  conversation pair(GetParam());
  std::uint64_t asked = 0;
  pair.server.heard->on_arrival = [&](recorder& at, arrival& what) {
    if (what.what == kind::request && base::as_text(what.body) == "slow")
      asked = what.id;
    else
      conversation::echo(at, what);
  };
  EXPECT_EQ(pair.client.call("slow", soon(std::chrono::milliseconds(20))), "<timed out>");
  ASSERT_TRUE(pair.server.heard->until([&] {
    return !pair.server.heard->things.empty() &&
           pair.server.heard->things.back().what == kind::cancel;
  }));
  pair.server.say(kind::reply, "late", asked);
  EXPECT_EQ(pair.client.call("next"), "re:next");
  EXPECT_EQ(pair.client.line->count().dropped_late, 1u);
}

TEST_P(ChannelPair, FinishFromAnotherThreadWakesTheReaderAndTheSleeper) {
  conversation pair(GetParam());
  pair.server.heard->on_arrival = nullptr;
  for (int round = 0; round < 50; ++round) {
    pending_call one, two;
    std::thread first(
        [&] { EXPECT_EQ(pair.client.line->wait(one.who, soon()), waited::finished); });
    std::thread second(
        [&] { EXPECT_EQ(pair.client.line->wait(two.who, soon()), waited::finished); });
    pair.client.line->finish(one.who);
    pair.client.line->finish(two.who);
    first.join();
    second.join();
  }
}

TEST_P(ChannelPair, WaitersLearnOfTheEnd) {
  conversation pair(GetParam());
  pair.server.heard->on_arrival = nullptr;
  ASSERT_TRUE(pair.client.heard->until([&] { return pair.client.heard->opened_count == 1; }));
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] { EXPECT_NE(pair.client.call("x").find('<'), std::string::npos); });
  ASSERT_TRUE(pair.server.heard->until_things(3));
  pair.server.line->cancel("enough");
  for (auto& each : callers) each.join();
  ASSERT_TRUE(pair.client.heard->until_closed());
  EXPECT_EQ(pair.client.heard->end.why, closing::reason::peer_gone);
  EXPECT_EQ(pair.client.heard->lost.size(), 3u);
  for (fate each : pair.client.heard->lost) EXPECT_EQ(each, fate::outcome_unknown);
}

TEST_P(ChannelPair, BarriersRunWhenAllBeforeThemHasLeft) {
  settings small;
  small.credit_bytes = 65536;
  conversation pair(GetParam(), small);
  pair.server.heard->keep_charges = true;
  const std::string text = patterned(3000);
  std::atomic<int> order{0};
  std::atomic<int> first{0}, second{0};
  pair.client.line->barrier([&] { first = ++order; });
  ASSERT_TRUE(pair.client.heard->until([&] { return first.load() == 1; }));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(pair.client.say(kind::message, text).taken());
  pair.client.line->barrier([&] { second = ++order; });
  ASSERT_TRUE(pair.server.heard->until_things(21));
  EXPECT_EQ(second.load(), 0);
  for (std::size_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(pair.server.heard->until_things(i + 1));
    pair.server.line->let_go(
        pair.server.heard->look([&] { return pair.server.heard->things[i].held; }));
  }
  while (second.load() == 0) std::this_thread::yield();
  EXPECT_EQ(second.load(), 2);
}

TEST_P(ChannelPair, CancelReleasesBarriers) {
  settings small;
  small.credit_bytes = 65536;
  conversation pair(GetParam(), small);
  pair.server.heard->keep_charges = true;
  const std::string text = patterned(30000);
  std::atomic<bool> released{false};
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(pair.client.say(kind::message, text).taken());
  pair.client.line->barrier([&] { released = true; });
  pair.client.line->cancel("enough");
  ASSERT_TRUE(pair.client.heard->until_closed());
  EXPECT_TRUE(released);
  EXPECT_GT(pair.client.line->count().dropped_unsent, 30u);
}

TEST_P(ChannelPair, CloseDeliversWhatWasQueuedAndSaysWhy) {
  conversation pair(GetParam());
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(pair.client.say(kind::message, std::to_string(i)).taken());
  ASSERT_TRUE(pair.client.heard->until([&] { return pair.client.heard->opened_count == 1; }));
  pair.client.line->close("that is all");
  ASSERT_TRUE(pair.server.heard->until_closed());
  EXPECT_EQ(pair.server.heard->things.size(), 1000u);
  EXPECT_EQ(pair.server.heard->end.why, closing::reason::peer_closed);
  EXPECT_EQ(pair.server.heard->end.text, "that is all");
  ASSERT_TRUE(pair.client.heard->until_closed());
  EXPECT_EQ(pair.client.heard->end.why, closing::reason::closed);
}

TEST_P(ChannelPair, WhatIsSentBeforeTheHelloLeavesAfterIt) {
  conversation pair(GetParam(), {}, {}, false);
  std::thread early([&] { EXPECT_EQ(pair.client.call("early"), "re:early"); });
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(pair.client.say(kind::message, std::to_string(i)).taken());
  pair.connect(wire_pair(GetParam()));
  early.join();
  EXPECT_TRUE(pair.server.heard->until_things(11));
}

TEST_P(ChannelPair, ALostWireBeforeTheHelloKeepsTheQueue) {
  conversation pair(GetParam(), {}, {}, false);
  std::atomic<int> tries{0};
  pair.client.heard->on_not_opened = [&](const closing& how) {
    EXPECT_FALSE(how.opened);
    EXPECT_EQ(how.why, closing::reason::peer_gone);
    if (++tries < 3) {
      auto dead = wire_pair(GetParam());
      pair.client.line->attach(std::move(dead.first));  // its other end is gone at once
    } else {
      pair.connect(wire_pair(GetParam()));
    }
  };
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(pair.client.say(kind::message, std::to_string(i)).taken());
  std::thread caller([&] { EXPECT_EQ(pair.client.call("x"), "re:x"); });
  auto dead = wire_pair(GetParam());
  pair.client.line->attach(std::move(dead.first));
  dead.second.reset();
  caller.join();
  EXPECT_EQ(tries, 3);
  ASSERT_TRUE(pair.server.heard->until_things(11));
}

}  // namespace
}  // namespace openxpc::channel::testing
