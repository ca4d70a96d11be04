#include "channel/channel.hpp"
#include "channel/test_support.hpp"

#include <gtest/gtest.h>

#include <thread>

// Subscriptions, descriptors, planned stop and other ends, over each wire.
namespace openxpc::channel::testing {
namespace {

class ChannelStream : public ::testing::TestWithParam<wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, ChannelStream,
                         ::testing::Values(wire::socket, wire::loopback, wire::ring), name_of_wire);

std::uint64_t subscribe(party& from, std::uint64_t credit) {
  outgoing out;
  out.what = kind::subscribe;
  out.extra.row_credit = credit;
  out.context = base::make_ref<pending_call>();
  return from.line->send(std::move(out)).id;
}

/// The id of the subscription as the server sees it, accepted.
std::uint64_t accept(conversation& pair) {
  EXPECT_TRUE(pair.server.heard->until_things(1));
  const std::uint64_t id = pair.server.heard->look([&] { return pair.server.heard->things[0].id; });
  EXPECT_TRUE(pair.server.say(kind::accepted, "", id).taken());
  return id;
}

sent row(party& from, std::uint64_t id, std::uint64_t sequence, std::string_view text,
         when_full full = when_full::queue) {
  outgoing out;
  out.what = kind::row;
  out.id = id;
  out.body = base::as_bytes(text);
  out.extra.sequence = sequence;
  out.full = full;
  return from.line->send(std::move(out));
}

sent end_of(party& from, std::uint64_t id, std::uint64_t sequence) {
  extensions extra;
  extra.sequence = sequence;
  return from.say(kind::end, "", id, extra);
}

TEST_P(ChannelStream, RowsArriveInOrderAndEnd) {
  conversation pair(GetParam());
  subscribe(pair.client, 1 << 20);
  const std::uint64_t id = accept(pair);
  constexpr std::size_t count = 30000;
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_TRUE(row(pair.server, id, i, "row " + std::to_string(i)).taken());
  ASSERT_TRUE(end_of(pair.server, id, count).taken());
  EXPECT_EQ(row(pair.server, id, count, "too late").what, sent::outcome::not_open);
  ASSERT_TRUE(pair.client.heard->until_things(count + 2));
  pair.client.heard->look([&] {
    auto& things = pair.client.heard->things;
    EXPECT_EQ(things.front().what, kind::accepted);
    for (std::size_t i = 0; i < count; ++i) {
      if (things[i + 1].what == kind::row && things[i + 1].sequence == i &&
          things[i + 1].body == "row " + std::to_string(i))
        continue;
      ADD_FAILURE() << i;
      break;
    }
    EXPECT_EQ(things.back().what, kind::end);
    EXPECT_EQ(things.back().sequence, count);
    return 0;
  });
  EXPECT_LT(pair.server.line->count().packets_sent, count / 2);
}

TEST_P(ChannelStream, RowsStopAtTheirCreditAndNothingElseDoes) {
  conversation pair(GetParam());
  pair.client.heard->keep_charges = true;
  subscribe(pair.client, 10'000);
  const std::uint64_t id = accept(pair);
  const std::string text(976, 'x');  // 1000 bytes with header and sequence
  int taken = 0;
  while (row(pair.server, id, static_cast<std::uint64_t>(taken), text, when_full::report).taken())
    ++taken;
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(pair.client.call("still there?"), "re:still there?");
  ASSERT_TRUE(pair.client.heard->until_things(12)) << "an answer may pass rows that wait";
  EXPECT_EQ(pair.client.heard->look([&] { return pair.client.heard->things.size(); }), 12u);
  EXPECT_EQ(pair.server.heard->look([&] { return pair.server.heard->writable_count[id]; }), 0);
  for (std::size_t i = 1; i <= 3; ++i)
    pair.client.line->let_go(
        pair.client.heard->look([&] { return pair.client.heard->things[i].held; }));
  EXPECT_TRUE(pair.server.heard->until([&] { return pair.server.heard->writable_count[id] == 1; }));
  EXPECT_TRUE(row(pair.server, id, 10, text, when_full::report).taken());
}

TEST_P(ChannelStream, QueuedRowsFollowWhenCreditComes) {
  conversation pair(GetParam());
  subscribe(pair.client, 4096);
  const std::uint64_t id = accept(pair);
  constexpr std::size_t count = 500;
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_TRUE(row(pair.server, id, i, std::string(900, 'x')).taken());
  ASSERT_TRUE(end_of(pair.server, id, count).taken());
  ASSERT_TRUE(pair.client.heard->until_things(count + 2));
  EXPECT_EQ(pair.client.line->count().rows_received, count);
}

TEST_P(ChannelStream, RowsBeyondTheInitialCreditAreRefused) {
  conversation pair(GetParam());
  subscribe(pair.client, 4096);
  const std::uint64_t id = accept(pair);
  EXPECT_EQ(row(pair.server, id, 0, std::string(5000, 'x')).what, sent::outcome::too_large);
}

TEST_P(ChannelStream, LongRowsTravelInPiecesBesideShortOnes) {
  conversation pair(GetParam());
  subscribe(pair.client, 4 << 20);
  const std::uint64_t one = accept(pair);
  subscribe(pair.client, 4 << 20);
  ASSERT_TRUE(pair.server.heard->until_things(2));
  const std::uint64_t two =
      pair.server.heard->look([&] { return pair.server.heard->things[1].id; });
  ASSERT_TRUE(pair.server.say(kind::accepted, "", two).taken());
  const std::string text(1'500'000, 'L');
  for (std::size_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(row(pair.server, one, i, text).taken());
    ASSERT_TRUE(row(pair.server, two, i, i % 2 ? text : "short").taken());
  }
  ASSERT_TRUE(pair.client.heard->until_things(14));
  pair.client.heard->look([&] {
    std::size_t next_one = 0, next_two = 0;
    for (const kept& each : pair.client.heard->things) {
      if (each.what != kind::row) continue;
      std::size_t& next = each.id == one ? next_one : next_two;
      EXPECT_EQ(each.sequence, next);
      EXPECT_TRUE(each.body == (each.id == one || next % 2 ? text : std::string("short")));
      ++next;
    }
    return 0;
  });
}

TEST_P(ChannelStream, WithdrawingASubscriptionReachesItsWriter) {
  conversation pair(GetParam());
  const std::uint64_t mine = subscribe(pair.client, 4096);
  const std::uint64_t id = accept(pair);
  EXPECT_EQ(mine, id);
  for (std::size_t i = 0; i < 100; ++i) row(pair.server, id, i, std::string(900, 'x'));
  EXPECT_EQ(pair.client.line->withdraw(mine, cancel_reason::stopped, true), withdrawn::asked);
  ASSERT_TRUE(pair.server.heard->until(
      [&] { return pair.server.heard->things.back().what == kind::cancel; }));
  ASSERT_TRUE(end_of(pair.server, id, 100).taken());
  // The end has come when a new request can be answered and the id is unknown.
  EXPECT_EQ(pair.client.call("x"), "re:x");
  EXPECT_EQ(pair.client.line->withdraw(mine, cancel_reason::stopped, true), withdrawn::answered);
}

TEST_P(ChannelStream, WithdrawnBeforeItLeftNothingIsSaid) {
  conversation pair(GetParam(), {}, {}, false);
  auto call = base::make_ref<pending_call>();
  const sent how = pair.client.ask("never", call);
  EXPECT_EQ(how.what, sent::outcome::queued);
  EXPECT_EQ(pair.client.line->withdraw(how.id, cancel_reason::stopped, true), withdrawn::unsent);
  pair.connect(wire_pair(GetParam()));
  EXPECT_EQ(pair.client.call("x"), "re:x");
  EXPECT_EQ(pair.client.call("y"), "re:y");
  ASSERT_TRUE(pair.server.heard->until_things(2));
  EXPECT_EQ(pair.server.heard->look([&] { return pair.server.heard->things[0].body; }), "x");
}

TEST_P(ChannelStream, DescriptorsArriveWithTheirMessages) {
  const int before = open_descriptors();
  {
    conversation pair(GetParam());
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    base::fd reader(ends[0]), writer(ends[1]);
    std::atomic<int> good{0};
    pair.server.heard->on_arrival = [&](recorder& at, arrival& what) {
      if (what.what == kind::message && what.attachments.size() == 2) {
        char text[8] = {};
        if (::write(what.attachments[1].get(), "hello", 5) == 5 &&
            ::read(what.attachments[0].get(), text, 5) == 5 && std::string(text) == "hello" &&
            (::fcntl(what.attachments[0].get(), F_GETFD) & FD_CLOEXEC))
          ++good;
      }
      conversation::echo(at, what);
    };
    const std::string text(100'000, 'x');
    for (int i = 0; i < 500; ++i) {
      const int fds[2] = {reader.get(), writer.get()};
      outgoing out;
      out.body = i % 3 ? base::as_bytes("short") : base::as_bytes(text);
      out.attachments = fds;
      ASSERT_TRUE(pair.client.line->send(std::move(out)).taken());
      ASSERT_TRUE(pair.client.say(kind::message, "without").taken());
    }
    EXPECT_EQ(pair.client.call("x"), "re:x");
    EXPECT_EQ(good, 500);
  }
  for (int i = 0; i < 1000 && open_descriptors() > before + 8; ++i) std::this_thread::yield();
  EXPECT_LE(open_descriptors(), before + 8);  // loops of the engine, bells of threads
}

TEST_P(ChannelStream, ManyDescriptorsGoInSeveralPieces) {
  settings many;
  many.attachments = 256;
  conversation pair(GetParam(), many);
  base::fd one = base::fd::copy(0);
  std::vector<int> fds(256, one.get());
  outgoing out;
  const std::string text(10'000, 'x');
  out.body = base::as_bytes(text);
  out.attachments = fds;
  ASSERT_TRUE(pair.client.line->send(std::move(out)).taken());
  ASSERT_TRUE(pair.server.heard->until_things(1));
  EXPECT_EQ(pair.server.heard->things[0].attachments, 256u);
  EXPECT_EQ(pair.server.heard->things[0].body, text);
  fds.push_back(one.get());
  out = {};
  out.body = base::as_bytes(text);
  out.attachments = fds;
  EXPECT_EQ(pair.client.line->send(std::move(out)).what, sent::outcome::too_many_attachments);
}

TEST_P(ChannelStream, APlannedStopDeliversExactlyWhatWasAccepted) {
  for (int round = 0; round < 20; ++round) {
    conversation pair(GetParam());
    ASSERT_TRUE(pair.client.heard->until([&] { return pair.client.heard->opened_count == 1; }));
    std::atomic<bool> go_on{true};
    std::atomic<std::size_t> calls{0}, answered{0}, unaccepted{0};
    std::thread sender([&] {
      while (go_on) {
        pair.client.say(kind::message, "m");
        auto call = base::make_ref<pending_call>();
        const sent how = pair.client.ask("r", call);
        if (!how.taken()) break;
        ++calls;
        pair.client.line->wait(call->who, soon());
        if (call->answered) ++answered;
        if (call->lost == fate::not_accepted) ++unaccepted;
      }
    });
    ASSERT_TRUE(pair.server.heard->until_things(5 + static_cast<std::size_t>(round) * 7));
    pair.server.line->stop();
    ASSERT_TRUE(pair.server.heard->until([&] { return pair.server.heard->drained_count == 1; }));
    pair.server.line->close("stopping");
    ASSERT_TRUE(pair.client.heard->until_closed());
    go_on = false;
    sender.join();
    EXPECT_EQ(pair.client.heard->end.why, closing::reason::peer_closed);
    EXPECT_EQ(calls, answered + unaccepted);
    const std::uint64_t sent = pair.client.line->count().messages_sent;
    EXPECT_EQ(sent, pair.server.line->count().messages_received);
  }
}

TEST_P(ChannelStream, StopFailsOurOwnOpenCalls) {
  conversation pair(GetParam());
  pair.client.heard->on_arrival = nullptr;
  auto call = base::make_ref<pending_call>();
  ASSERT_TRUE(pair.server.ask("who are you?", call).taken());
  ASSERT_TRUE(pair.client.heard->until_things(1));
  pair.server.line->stop();
  ASSERT_TRUE(pair.server.heard->until([&] { return pair.server.heard->drained_count == 1; }));
  EXPECT_EQ(call->lost, fate::outcome_unknown);
}

TEST_P(ChannelStream, DataOfAPeerThatDiedWithUnreadDataIsStillRead) {
  conversation pair(GetParam());
  ASSERT_EQ(pair.client.call("x"), "re:x");
  // The client dies with unread data: it sends, is sent something, and hangs up without reading.
  socket_pair both = new_socket_pair();
  party late;
  late.line = channel::make(side::accepting, {}, late.heard);
  late.heard->line = late.line;
  auto ours = socket_transport(std::move(both.one));
  late.line->attach(socket_transport(std::move(both.other)));
  std::vector<base::fd> none;
  std::byte room[4096];
  const iovec into{room, sizeof room};
  while (ours->receive({&into, 1}, none).what == received::result::nothing)
    std::this_thread::yield();
  base::buffer hello = hello_packet({}, side::connecting, nullptr);
  iovec whole{hello.data(), hello.size()};
  ASSERT_EQ(ours->send({&whole, 1}, {}, true), send_result::taken);
  ASSERT_TRUE(late.heard->until([&] { return late.heard->opened_count == 1; }));
  late.say(kind::message, "unread");
  base::buffer frame;
  frame.resize(header_bytes);
  write_head(frame.data(), kind::message, false, 0, 0, {}, 0);
  whole = {frame.data(), frame.size()};
  for (int i = 0; i < 5; ++i) ASSERT_EQ(ours->send({&whole, 1}, {}, false), send_result::taken);
  ours.reset();
  ASSERT_TRUE(late.heard->until_closed());
  EXPECT_EQ(late.heard->things.size(), 5u);
  EXPECT_EQ(late.heard->end.why, closing::reason::peer_gone);
  late.heard->line = nullptr;
}

}  // namespace
}  // namespace openxpc::channel::testing
