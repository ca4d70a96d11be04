#include "channel/channel.hpp"
#include "channel/greeting.hpp"
#include "channel/test_support.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/resource.h>

#include <thread>

// A peer that plays by its own rules. Each fault ends the connection with a reason that names it,
// nothing else suffers, and what the process holds meanwhile is bounded.
namespace openxpc::channel::testing {
namespace {

/// One end of a socket, driven by hand, against a channel at the other end.
class hostile {
 public:
  party victim;
  std::unique_ptr<transport> wire;

  explicit hostile(side of_victim = side::accepting, settings limits = {}, bool greet = true) {
    socket_pair both = new_socket_pair();
    wire = socket_transport(std::move(both.one));
    victim.line = channel::make(of_victim, limits, victim.heard);
    victim.heard->line = victim.line;
    victim.line->attach(socket_transport(std::move(both.other)));
    if (!greet) return;
    if (of_victim == side::accepting) receive();
    send(hello_packet({}, of_victim == side::accepting ? side::connecting : side::accepting,
                      nullptr));
    EXPECT_TRUE(victim.heard->until([&] { return victim.heard->opened_count == 1; }));
    if (of_victim == side::connecting) receive();
  }
  ~hostile() {
    victim.line->cancel("over");
    EXPECT_TRUE(victim.heard->until_closed());
    victim.heard->line = nullptr;
  }
  void send(const base::buffer& packet, std::span<const int> fds = {}) {
    const iovec whole{const_cast<std::byte*>(packet.data()), packet.size()};
    send_result how;
    while ((how = wire->send({&whole, 1}, fds, false)) == send_result::full) wait(POLLOUT);
  }
  /// The next packet; empty at the end of the stream.
  std::string receive() {
    std::string out(300'000, '\0');
    std::vector<base::fd> fds;
    for (;;) {
      const iovec into{out.data(), out.size()};
      const received how = wire->receive({&into, 1}, fds);
      if (how.what == received::result::packet) return out.substr(0, how.size);
      if (how.what == received::result::end || how.what == received::result::failed) return {};
      if (how.what == received::result::nothing) wait(POLLIN);
    }
  }
  void wait(short events) {
    pollfd what{wire->borrowed_fd(), events, 0};
    ::poll(&what, 1, 20'000);
  }
  /// How it ended.
  closing end() {
    EXPECT_TRUE(victim.heard->until_closed());
    return victim.heard->end;
  }
};

struct frame_of {
  kind what;
  std::uint64_t id = 0;
  std::size_t body = 0;
  bool more = false;
  std::uint16_t attachments = 0;
  extensions extra{};
};

base::buffer packet(std::initializer_list<frame_of> frames) {
  base::buffer out;
  for (const frame_of& each : frames) {
    const std::size_t at = out.size();
    out.extend(frame_head_most_bytes);
    out.resize(at + write_head(out.data() + at, each.what, each.more, each.attachments, each.id,
                               each.extra, each.body));
    if (each.body) std::memset(out.extend(each.body), 0, each.body);
    out.pad(8);
  }
  return out;
}

extensions sequence(std::uint64_t number) {
  extensions out;
  out.sequence = number;
  return out;
}
extensions row_credit(std::uint64_t total) {
  extensions out;
  out.row_credit = total;
  return out;
}

/// The channel ends with a protocol error whose text holds `words`.
void expect_fault(const char* words, std::initializer_list<std::initializer_list<frame_of>> packets,
                  settings limits = {}) {
  hostile peer(side::accepting, limits);
  peer.victim.heard->keep_charges = true;
  for (const auto& each : packets) peer.send(packet(each));
  const closing how = peer.end();
  EXPECT_EQ(how.why, closing::reason::protocol_error) << words;
  EXPECT_NE(how.text.find(words), std::string::npos) << "said: " << how.text;
  EXPECT_TRUE(how.opened);
}

TEST(ChannelHostile, T50_BrokenFramingEndsTheConnectionWithTheReason) {
  expect_fault("reserved", {{{kind::ring}}});
  expect_fault("second hello", {{{kind::hello, 0, 100}}});
  expect_fault("nobody sent", {{{kind::proven}}});
  expect_fault("nobody sent", {{{kind::answer, 0, 16}}});
  expect_fault("a cancel of an id that was never seen", {{{kind::cancel, 7, 4}}});
  expect_fault("never seen", {{{kind::credit, 7, 8}}});
  expect_fault("credit for a request", {{{kind::request, 7}}, {{kind::credit, 7, 8}}});
  expect_fault("makes no sense", {{{kind::credit, 0, 8}}});  // a total of 0
  expect_fault("without row credit", {{{kind::subscribe, 7}}});
  expect_fault("second continued message",
               {{{kind::message, 0, 4096, true}}, {{kind::request, 7}}});
  expect_fault("second continued message",
               {{{kind::request, 7, 4096, true}}, {{kind::request, 8, 4096, true}}});
  expect_fault("not the first",
               {{{kind::message, 0, 4096, true}}, {{kind::message, 0, 8, false, 0, sequence(1)}}});
  expect_fault("follows the last frame", {{{kind::close, 0, 8}, {kind::message}}});
}

TEST(ChannelHostile, T47_IdsThatDoNotRiseAndAnswersNobodyAskedForEndIt) {
  expect_fault("does not rise", {{{kind::request, 7}}, {{kind::request, 7}}});
  expect_fault("does not rise",
               {{{kind::request, 7}}, {{kind::subscribe, 6, 0, false, 0, row_credit(1)}}});
  expect_fault("not open", {{{kind::reply, 7}}});
  expect_fault("not open", {{{kind::failure, 7}}});
  expect_fault("not open", {{{kind::progress, 7}}});
  expect_fault("not open", {{{kind::row, 7, 8, false, 0, sequence(0)}}});
  expect_fault("not open", {{{kind::end, 7, 0, false, 0, sequence(0)}}});
  expect_fault("not open", {{{kind::accepted, 7}}});
}

TEST(ChannelHostile, T47_ARepeatedReplyEndsIt) {
  hostile peer(side::connecting);
  auto call = base::make_ref<pending_call>();
  const sent how = peer.victim.ask("x", call);
  ASSERT_TRUE(how.taken());
  peer.receive();
  peer.send(packet({{kind::reply, how.id}, {kind::reply, how.id}}));
  EXPECT_EQ(peer.end().why, closing::reason::protocol_error);
  EXPECT_TRUE(call->answered) << "the first one counts";
}

TEST(ChannelHostile, T47_AnswersOfTheWrongKindEndIt) {
  for (const frame_of& wrong :
       {frame_of{kind::row, 0, 0, false, 0, sequence(0)}, frame_of{kind::accepted},
        frame_of{kind::end, 0, 0, false, 0, sequence(0)}}) {
    hostile peer(side::connecting);
    const sent how = peer.victim.ask("x", base::make_ref<pending_call>());
    peer.receive();
    frame_of bad = wrong;
    bad.id = how.id;
    peer.send(packet({bad}));
    EXPECT_EQ(peer.end().why, closing::reason::protocol_error) << name_of(wrong.what);
  }
}

/// A victim with a subscription, accepted, with 10,000 bytes for rows.
struct subscriber : hostile {
  std::uint64_t id;
  subscriber() : hostile(side::connecting) {
    victim.heard->keep_charges = true;
    outgoing out;
    out.what = kind::subscribe;
    out.extra = row_credit(10'000);
    out.context = base::make_ref<pending_call>();
    id = victim.line->send(std::move(out)).id;
    receive();
  }
};

TEST(ChannelHostile, T48_RowsOutOfTurnOrBeyondTheirCreditEndIt) {
  auto fault = [](std::initializer_list<frame_of> frames) {
    subscriber peer;
    base::buffer whole;
    for (frame_of each : frames) {
      each.id = peer.id;
      whole.append(packet({each}).view());
    }
    peer.send(whole);
    return peer.end().text;
  };
  const frame_of accepted{kind::accepted};
  const frame_of zero{kind::row, 0, 8, false, 0, sequence(0)};
  EXPECT_NE(fault({zero}).find("before its subscription"), std::string::npos);
  EXPECT_NE(fault({accepted, accepted}).find("twice"), std::string::npos);
  EXPECT_NE(fault({accepted, zero, zero}).find("does not rise"), std::string::npos);
  EXPECT_NE(fault({accepted, {kind::row, 0, 8}}).find("missing"), std::string::npos);
  EXPECT_NE(fault({accepted, {kind::row, 0, 8, false, 0, sequence(UINT64_MAX)}}).find("end of all"),
            std::string::npos);
  EXPECT_NE(fault({accepted, zero, {kind::end, 0, 0, false, 0, sequence(0)}})
                .find("without its sequence"),
            std::string::npos);
  EXPECT_NE(fault({accepted,
                   {kind::row, 0, 6000, false, 0, sequence(0)},
                   {kind::row, 0, 6000, false, 0, sequence(1)}})
                .find("credit"),
            std::string::npos);
  EXPECT_NE(fault({accepted, {kind::reply}}).find("wrong kind"), std::string::npos);
}

TEST(ChannelHostile, T48_MessagesBeyondTheCreditEndIt) {
  settings small;
  small.credit_bytes = 65536;
  expect_fault("credit", {{{kind::message, 0, 60'000}}, {{kind::message, 0, 60'000}}}, small);
}

TEST(ChannelHostile, T42_MessagesBeyondMessageBytesEndItAsTheyCome) {
  settings small;
  small.message_bytes = 65536;
  expect_fault("limits", {{{kind::message, 0, 65544}}}, small);
  expect_fault("message_bytes",
               {{{kind::message, 0, 40'000, true}},
                {{kind::message, 0, 20'000, true}},
                {{kind::message, 0, 10'000}}},
               small);
}

TEST(ChannelHostile, T42_MoreRequestsThanMayBeUnansweredEndIt) {
  settings few;
  few.unanswered_count = 3;
  hostile peer(side::accepting, few);
  for (std::uint64_t id = 1; id <= 4; ++id) peer.send(packet({{kind::request, id}}));
  const closing how = peer.end();
  EXPECT_EQ(how.why, closing::reason::protocol_error);
  EXPECT_NE(how.text.find("more than 3"), std::string::npos);
  EXPECT_EQ(peer.victim.heard->things.size(), 3u);
}

TEST(ChannelHostile, T42_AnAnnouncedSizeTakesNoMemory) {
  hostile peer;
  rusage before, after;
  ::getrusage(RUSAGE_SELF, &before);
  // The largest length a header can name, and one byte of it.
  base::buffer lie = packet({{kind::message, 0, 8}});
  base::store(lie.data(), std::uint32_t{0xfffffff0});
  peer.send(lie);
  EXPECT_EQ(peer.end().why, closing::reason::protocol_error);
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 4096);  // KiB
}

TEST(ChannelHostile, T42_APacketLongerThanAllowedEndsIt) {
  settings small;
  small.packet_bytes = 65536;
  hostile peer(side::accepting, small);
  peer.send(packet({{kind::message, 0, 70'000}}));
  EXPECT_NE(peer.end().text.find("packet_bytes"), std::string::npos);
}

TEST(ChannelHostile, T45_DescriptorsThatDoNotMatchTheFlagsEndItAndNoneLeaks) {
  const int before = open_descriptors();
  {
    base::fd one = base::fd::copy(0);
    const std::vector<int> two(2, one.get());
    hostile more;
    more.send(packet({{kind::message, 0, 8, false, 1}}), two);
    EXPECT_NE(more.end().text.find("more descriptors"), std::string::npos);
    hostile fewer;
    fewer.send(packet({{kind::message, 0, 8, false, 3}}), two);
    EXPECT_NE(fewer.end().text.find("did not come"), std::string::npos);
    hostile control;
    base::buffer bad = packet({{kind::message, 0, 8, false, 1}});
    base::store(bad.data() + 4, std::uint8_t{13});
    control.send(bad, std::span(two).first(1));
    EXPECT_NE(control.end().text.find("no descriptors"), std::string::npos);
    settings few;
    few.attachments = 1;
    hostile many(side::accepting, few);
    many.send(packet({{kind::message, 0, 8, false, 2}}), two);
    EXPECT_NE(many.end().text.find("limits"), std::string::npos);
    hostile early(side::accepting, {}, false);
    early.receive();
    early.send(hello_packet({}, side::connecting, nullptr), two);
    EXPECT_TRUE(early.victim.heard->until([&] { return early.victim.heard->opened_count == 1; }));
  }
  for (int i = 0; i < 100'000 && open_descriptors() > before + 8; ++i) std::this_thread::yield();
  EXPECT_LE(open_descriptors(), before + 8);
}

TEST(ChannelHostile, T45_AFullDescriptorTableFailsTheMessageAndNotTheConnection) {
  hostile peer;
  base::fd one = base::fd::copy(0);
  const std::vector<int> ten(10, one.get());
  rlimit limit, low;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  low = limit;
  low.rlim_cur = static_cast<rlim_t>(one.get()) + 4;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  peer.send(packet({{kind::message, 0, 8, false, 10}, {kind::message, 0, 8}}), ten);
  const bool both = peer.victim.heard->until_things(2);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_TRUE(both);
  EXPECT_TRUE(peer.victim.heard->things[0].lost_attachments);
  EXPECT_FALSE(peer.victim.heard->things[1].lost_attachments);
  EXPECT_EQ(peer.victim.line->count().lost_attachments, 1u);
  peer.send(packet({{kind::message, 0, 8, false, 10}}), ten);
  ASSERT_TRUE(peer.victim.heard->until_things(3));
  EXPECT_EQ(peer.victim.heard->things[2].attachments, 10u);
}

TEST(ChannelHostile, T47_AnswersThatNobodyTakesAreCountedAndDropped) {
  settings small;
  small.message_bytes = 65536;
  hostile peer(side::connecting, small);
  peer.victim.heard->keep_charges = true;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(peer.victim.ask("x", base::make_ref<pending_call>()).id);
    peer.receive();
  }
  for (std::uint64_t id : ids) peer.send(packet({{kind::reply, id, 50'000}}));
  ASSERT_TRUE(peer.victim.heard->until_things(4));
  EXPECT_FALSE(peer.victim.heard->things[1].not_taken);
  EXPECT_TRUE(peer.victim.heard->things[2].not_taken);
  EXPECT_EQ(peer.victim.heard->things[2].what, kind::failure);
  EXPECT_EQ(peer.victim.line->count().dropped_not_taken, 2u);
  peer.victim.line->let_go(peer.victim.heard->things[0].held);
  const std::uint64_t id = peer.victim.ask("y", base::make_ref<pending_call>()).id;
  peer.receive();
  peer.send(packet({{kind::reply, id, 50'000}}));
  ASSERT_TRUE(peer.victim.heard->until_things(5));
  EXPECT_FALSE(peer.victim.heard->things[4].not_taken);
}

TEST(ChannelHostile, ACancelBetweenPiecesForgetsTheRequest) {
  settings small;
  small.credit_bytes = 65536;
  hostile peer(side::accepting, small);
  peer.victim.heard->on_arrival = nullptr;
  for (std::uint64_t id = 1; id <= 20; ++id) {
    peer.send(packet({{kind::request, id, 40'000, true}}));
    peer.send(packet({{kind::cancel, id, 4}}));
  }
  peer.send(packet({{kind::request, 21}}));
  ASSERT_TRUE(peer.victim.heard->until_things(1));
  EXPECT_EQ(peer.victim.heard->things[0].id, 21u);
}

TEST(ChannelHostile, ACancelOfSomethingAnsweredIsIgnored) {
  hostile peer;
  peer.victim.heard->on_arrival = conversation::echo;
  peer.send(packet({{kind::request, 5}}));
  peer.receive();
  peer.send(packet({{kind::cancel, 5, 4}, {kind::request, 6}}));
  ASSERT_TRUE(peer.victim.heard->until_things(2));
  EXPECT_EQ(peer.victim.heard->things[1].id, 6u);
}

TEST(ChannelHostile, T49_AHelloThatDoesNotComeIsNotWaitedForForEver) {
  settings hurried;
  hurried.hello_within = std::chrono::milliseconds(20);
  hostile silent(side::accepting, hurried, false);
  const closing how = silent.end();
  EXPECT_EQ(how.why, closing::reason::hello_late);
  EXPECT_FALSE(how.opened);
}

TEST(ChannelHostile, T51_AForeignProtocolIsToldWhyBeforeItIsLeft) {
  hostile peer(side::accepting, {}, false);
  peer.receive();
  base::buffer text;
  text.append(base::as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  peer.send(text);
  const std::string said = peer.receive();
  auto refused = read_greeting(base::as_bytes(said), side::connecting).refused;
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, refusal_code::hello);
  EXPECT_EQ(peer.receive(), "");
  const closing how = peer.end();
  EXPECT_EQ(how.why, closing::reason::we_refused);
  EXPECT_FALSE(how.text.empty());
}

TEST(ChannelHostile, ARefusalReachesTheClientWithItsReason) {
  hostile peer(side::connecting, {}, false);
  peer.send(refusal_packet({77, true, false, "the program does not exist"}));
  const closing how = peer.end();
  EXPECT_EQ(how.why, closing::reason::peer_refused);
  EXPECT_EQ(how.code, 77u);
  EXPECT_TRUE(how.may_retry);
  EXPECT_EQ(how.text, "the program does not exist");
}

TEST(ChannelHostile, AMovedRefusalKeepsTheQueue) {
  hostile peer(side::connecting, {}, false);
  ASSERT_TRUE(peer.victim.say(kind::message, "kept").taken());
  peer.send(refusal_packet({0, false, true, "moved"}));
  ASSERT_TRUE(
      peer.victim.heard->until([&] { return peer.victim.heard->not_opened_with.size() == 1; }));
  EXPECT_TRUE(peer.victim.heard->not_opened_with[0].moved);
  EXPECT_EQ(peer.victim.line->count().dropped_unsent, 0u);
}

/// Random frames in random order: the channel may end, never fall.
TEST(ChannelHostile, T42_RandomFramesNeverDoMoreThanEndIt) {
  std::uint64_t random = 0x9e3779b97f4a7c15;
  auto next = [&](std::uint64_t below) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % below;
  };
  for (int round = 0; round < 300; ++round) {
    hostile peer(next(2) ? side::accepting : side::connecting);
    peer.victim.heard->on_arrival = conversation::echo;
    const std::uint64_t asked = peer.victim.ask("x", base::make_ref<pending_call>()).id;
    for (int i = 0; i < 12; ++i) {
      base::buffer some;
      for (std::uint64_t frames = next(3) + 1; frames > 0; --frames) {
        frame_of each{static_cast<kind>(next(kind_count)), next(3) ? next(5) : asked};
        each.body = next(2) ? 4096 : next(3) * 4;
        each.more = next(4) == 0;
        if (next(2)) each.extra.sequence = next(3);
        if (next(3) == 0) each.extra.row_credit = next(100'000);
        some.append(packet({each}).view());
      }
      if (next(3) == 0) some.data()[next(some.size())] = static_cast<std::byte>(next(256));
      const iovec whole{some.data(), some.size()};
      if (peer.wire->send({&whole, 1}, {}, false) != send_result::taken) break;
    }
  }
}

}  // namespace
}  // namespace openxpc::channel::testing
