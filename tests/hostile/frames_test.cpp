// What breaks the protocol itself: frames out of order, answers nobody asked for, descriptors that
// do not fit, hellos of others. Only the connection it came over ends, with the reason.

#include "support/role.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "hostile/raw.hpp"
#include "hostile/scene.hpp"

using openxpc::base::fd;
using xpc_testing::role_call;

namespace hostile {
namespace {

/// One thing to send after an honest call, and what the service says the conversation ended with.
struct fault {
  std::string words;
  std::vector<frame> frames;
  std::size_t descriptors = 0;
};

const std::map<std::string, std::vector<fault>>& faults() {
  const std::string op_keep = op("keep");
  const frame piece{.what = message, .body = std::string(4096, '\0'), .more = true};
  static const std::map<std::string, std::vector<fault>> all{
      {"framing",
       {{"reserved", {{.what = ring}}},
        {"second hello", {{.what = hello, .body = std::string(84, '\0')}}},
        {"nobody sent", {{.what = proven}}},
        {"nobody sent", {{.what = answer, .body = std::string(16, '\0')}}},
        {"never seen", {{.what = cancel, .id = 77, .body = number(1u)}}},
        {"makes no sense", {{.what = credit, .body = number(std::uint64_t{0})}}},
        {"second continued message", {piece, {.what = request, .id = 77, .body = op_keep}}},
        {"without row credit", {{.what = subscribe, .id = 77, .body = op_keep}}},
        {"does not rise", {{.what = request, .id = 1, .body = op_keep}}},
        {"follows the last frame", {{.what = close}, {.what = message, .body = op_keep}}}}},
      {"replies",
       {{"not open", {{.what = reply, .id = 7, .body = op_keep}}},
        {"not open", {{.what = failure, .id = 7, .body = op_keep}}},
        {"not open", {{.what = progress, .id = 7, .body = op_keep}}},
        {"not open", {{.what = row, .id = 7, .body = op_keep, .sequence = 0}}},
        {"not open", {{.what = end, .id = 7, .sequence = 0}}},
        {"not open", {{.what = accepted, .id = 7}}}}},
      {"bounds",
       {{"longer than its packet", {{.what = message, .body = "x", .length = 1u << 30}}},
        {"longer than its packet", {{.what = message, .body = "x", .length = 0xfffffff8u}}}}},
      {"descriptors",
       {{"more descriptors", {{.what = message, .body = op_keep, .attachments = 1}}, 3},
        {"more descriptors", {{.what = message, .body = op_keep}}, 253},
        {"did not come", {{.what = message, .body = op_keep, .attachments = 9}}, 3},
        {"more than 253", {{.what = message, .body = op_keep, .attachments = 0xffff}}},
        {"no descriptors", {{.what = close, .attachments = 1}}, 1}}},
  };
  return all;
}

/// SOCKET TABLE: commits each fault of the table over a connection of its own, after a call that
/// is answered and with another conversation beside it that goes on.
XPC_TEST_ROLE(faulty) {
  const std::string path = call.arguments.at(0);
  line beside = line::greeted(path);
  std::uint64_t id = 0;
  fd file(::memfd_create("a file", MFD_CLOEXEC));
  for (const fault& each : faults().at(call.arguments.at(1))) {
    line talk = line::greeted(path);
    expect(talk.send(pack({{.what = request, .id = 1, .body = op("hello")}})), "no request");
    expect(talk.answer_to(1).has_value(), "no answer");
    talk.send(pack(each.frames), std::vector<int>(each.descriptors, file.get()));
    talk.read_to_end();
    expect(beside.send(pack({{.what = request, .id = ++id, .body = op("hello")}})), "beside");
    expect(beside.answer_to(id).has_value(), "the conversation beside it has ended");
  }
  return 0;
}

/// SOCKET: says in its hello that it is somebody else, and asks who the service takes it for.
XPC_TEST_ROLE(impostor) {
  line talk = line::to(call.arguments.at(0));
  expect(talk.greet({.euid = ::geteuid() + 1, .egid = ::getegid() + 1}), "no hello");
  expect(talk.send(pack({{.what = request, .id = 1, .body = op("who")}})), "no request");
  const std::optional<frame> got = talk.answer_to(1);
  expect(got.has_value(), "no answer");
  using namespace std::string_literals;
  const auto has = [&](const std::string& key, std::int64_t value) {
    return got->body.find(key + "\0\0\0\0"s + int64_value(value)) != std::string::npos;
  };
  expect(has("euid", ::geteuid()) && has("egid", ::getegid()), "the service believed it");
  return 0;
}

TEST_F(Attack, AHelloThatLiesAboutItsUserIsNotBelieved) {
  run_attacker("impostor");
  expect_unharmed();
}

class Faults : public Attack {
 protected:
  void commit(const std::string& table) {
    run_attacker("faulty", {table});
    for (const fault& each : faults().at(table)) expect_ending(each.words);
    expect_unharmed();
    expect_peak_below(64u << 20);
  }
};

TEST_F(Faults, T50_BrokenFramingEndsThatConnectionAloneWithTheReason) { commit("framing"); }
TEST_F(Faults, T47_AnswersThatNobodyAskedForEndTheConnection) { commit("replies"); }
TEST_F(Faults, T42_AnAnnouncedGibibyteEndsTheConnectionWithoutMemory) { commit("bounds"); }
TEST_F(Faults, T45_DescriptorsThatDoNotFitTheFramesEndTheConnectionAndAreClosed) {
  commit("descriptors");
}

// --- T42: limits that need many packets ----------------------------------------------------------

XPC_TEST_ROLE(endless_message) {
  line talk = line::greeted(call.arguments.at(0));
  expect(talk.send(pack({{.what = request, .id = 1, .body = op("hello")}})), "no request");
  // 132 MiB where 128 are allowed.
  const bool taken =
      talk.send_long({.what = message, .body = std::string(std::size_t{132} << 20, 'x')});
  talk.read_to_end();
  expect(!taken || !talk.send(pack({{.what = message, .body = op("hello")}})), "it is all taken");
  return 0;
}

TEST_F(Attack, T42_AMessageBeyondItsLimitEndsTheConnectionAsItComes) {
  run_attacker("endless_message");
  expect_ending("message_bytes");
  // What had come by then is held once, however the buffer grew.
  expect_peak_below(420u << 20);
  expect_unharmed();
}

XPC_TEST_ROLE(beyond_the_credit) {
  line talk = line::greeted(call.arguments.at(0));
  // What waits behind a handler that does not end gives nothing of the 1 MiB back.
  const std::string body = op("block", {{"v", data_value(std::string(200'000, 'x'))}});
  for (std::uint64_t id = 1; id <= 6; ++id)
    if (!talk.send(pack({{.what = request, .id = id, .body = body}}))) break;
  talk.read_to_end();
  return 0;
}

TEST_F(Attack, T48_MoreThanTheCreditAllowsEndsTheConnection) {
  run_attacker("beyond_the_credit");
  EXPECT_TRUE(honest.call("let-go"));
  expect_ending("more bytes than the credit allows");
  expect_unharmed();
}

XPC_TEST_ROLE(unanswered_requests) {
  line talk = line::greeted(call.arguments.at(0));
  for (std::uint64_t id = 1; id <= 1025; ++id)
    if (!talk.send(pack({{.what = request, .id = id, .body = op("keep")}}))) break;
  talk.read_to_end();
  return 0;
}

TEST_F(Attack, T42_MoreRequestsThanMayBeUnansweredEndTheConnection) {
  run_attacker("unanswered_requests");
  expect_ending("more than 1024");
  EXPECT_TRUE(honest.call("let-go"));
  expect_unharmed();
}

// --- T45 -----------------------------------------------------------------------------------------

XPC_TEST_ROLE(too_many_descriptors) {
  line talk = line::greeted(call.arguments.at(0));
  fd file(::memfd_create("a file", MFD_CLOEXEC));
  expect(talk.send(pack({{.what = request, .id = 1, .body = op("hello")}})), "no request");
  expect(talk.answer_to(1).has_value(), "no answer");
  // 257 in one message, where 256 are allowed: in two packets, since one takes 253.
  const std::vector<int> many(253, file.get()), few(4, file.get());
  const std::string body(8192, 'x');
  talk.send(pack({{.what = message, .body = body, .more = true, .attachments = 253}}), many);
  talk.send(pack({{.what = message, .body = body, .attachments = 4}}), few);
  talk.read_to_end();
  return 0;
}

TEST_F(Attack, T45_MoreDescriptorsThanOneMessageMayHaveEndTheConnection) {
  run_attacker("too_many_descriptors");
  expect_ending("too many descriptors");
  expect_unharmed();
}

XPC_TEST_ROLE(unwanted_descriptors) {
  line talk = line::greeted(call.arguments.at(0));
  fd file(::memfd_create("a file", MFD_CLOEXEC));
  int pipe_ends[2], pair[2];
  expect(::pipe2(pipe_ends, O_CLOEXEC) == 0, "pipe");
  expect(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
  fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  expect(::listen(tcp.get(), 1) == 0, "listen");
  fd place(::open("/", O_PATH | O_CLOEXEC));
  std::uint64_t id = 0;
  auto ask = [&](const std::string& body, std::vector<int> fds) {
    expect(talk.send(pack({{.what = request,
                            .id = ++id,
                            .body = body,
                            .attachments = static_cast<std::uint16_t>(fds.size())}}),
                     fds),
           "the service takes no request");
    std::optional<frame> got = talk.answer_to(id);
    expect(got.has_value(), "the service closed the connection");
    return *got;
  };
  for (int round = 0; round < 50; ++round) {
    // Never taken, never looked at; unasked for by what the message says; asked for and missing.
    ask(op("forget", {{"v", fd_value()}}), {file.get()});
    expect(ask(op("hello"), std::vector<int>(200, file.get())).what == failure, "unasked");
    expect(ask(op("hello", {{"v", fd_value()}}), {}).what == failure, "missing");
    // Of the wrong kind for an endpoint.
    for (const int wrong : {file.get(), pipe_ends[0], pipe_ends[1], pair[0], tcp.get(), place.get(),
                            talk.borrowed_fd()})
      ask(op("read", {{"v", endpoint_value()}}), {wrong});
  }
  return 0;
}

TEST_F(Attack, T45_DescriptorsUnaskedNeverTakenOrOfTheWrongKindAreClosed) {
  run_attacker("unwanted_descriptors");
  expect_unharmed();
}

/// Sockets that hold one another in flight: only the kernel's collector finds those.
XPC_TEST_ROLE(cycles) {
  const std::string path = call.arguments.at(0);
  for (int round = 0; round < 100; ++round) {
    line talk = line::greeted(path);
    int pair[2];
    expect(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    line one{fd(pair[0])}, other{fd(pair[1])};
    const std::vector<int> both{one.borrowed_fd(), other.borrowed_fd()};
    one.send("x", both);
    other.send("x", both);
    const frame with_both{.what = message,
                          .body = op("hello", {{"v", fd_value()}, {"w", fd_value()}}),
                          .attachments = 2};
    talk.send(pack({with_both}), both);
    talk.send(pack({with_both}), std::vector<int>{talk.borrowed_fd(), one.borrowed_fd()});
  }
  return 0;
}

TEST_F(Attack, T45_SocketsThatHoldEachOtherInFlightLeaveNothingBehind) {
  run_attacker("cycles");
  expect_unharmed();
}

XPC_TEST_ROLE(lingering_sockets) {
  line talk = line::greeted(call.arguments.at(0));
  std::vector<fd> readers;
  auto give = [&](const frame& how) {
    lingering one;
    talk.send(pack({how}), std::vector<int>{one.sender.get()});
    readers.push_back(std::move(one.reader));
  };
  xpc_testing::say("begin");
  xpc_testing::hear();
  // Refused for its encoding, late on arrival, announced by nothing, and at the end of the
  // connection. The service has the last descriptor of each.
  give({.what = message, .body = "no object at all", .attachments = 1});
  give({.what = request, .id = 1, .body = op("hello"), .attachments = 1});
  give({.what = request,
        .id = 2,
        .body = op("hello", {{"v", fd_value()}}),
        .attachments = 1,
        .deadline = 1});
  give({.what = message, .body = op("hello")});
  xpc_testing::say("sent");
  xpc_testing::hear();
  readers.clear();  // with data unread: a reset, which ends all lingering
  return 0;
}

TEST_F(Attack, T45_DescriptorsThatBlockOnCloseHoldUpNobody) {
  xpc_testing::child one = attacker("lingering_sockets");
  one.expect_line("begin");
  // While it is stopped the attacker lets go of its own descriptors.
  ASSERT_EQ(::kill(service, SIGSTOP), 0);
  one.write_line("now");
  one.expect_line("sent");
  ASSERT_EQ(::kill(service, SIGCONT), 0);
  for (int i = 0; i < 200; ++i) expect_answers();
  system_test::session late = xpcd.open(name);
  EXPECT_TRUE(late.call("hello"));
  late.end();
  one.write_line("enough");
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  expect_unharmed();
}

// --- T51 -----------------------------------------------------------------------------------------

struct greeting {
  std::string words, packet;
};

std::vector<greeting> wrong_greetings() {
  auto of = [](void (*change)(hello_fields&)) {
    hello_fields fields;
    change(fields);
    return hello_packet(fields);
  };
  return {
      {"no protocol version in common: theirs 0 to 0, ours 1 to 1",
       of([](hello_fields& f) { f.lowest = f.highest = 0; })},
      {"theirs 2 to 9", of([](hello_fields& f) { f.lowest = 2, f.highest = 9; })},
      {"theirs 1 to 0", of([](hello_fields& f) { f.highest = 0; })},
      {"must choose one version", of([](hello_fields& f) { f.highest = 2; })},
      {"features that were not offered", of([](hello_fields& f) { f.features = 2; })},
      {"features that were not offered",
       of([](hello_fields& f) { f.features = std::uint64_t{1} << 63; })},
      {"another protocol", of([](hello_fields& f) { f.magic = 0; })},
      {"message_bytes is 0", of([](hello_fields& f) { f.message_bytes = 0; })},
      {"credit_bytes is 65535", of([](hello_fields& f) { f.credit_bytes = 65535; })},
      {"unanswered_count is 0", of([](hello_fields& f) { f.unanswered_count = 0; })},
      {"packet_bytes is 1", of([](hello_fields& f) { f.packet_bytes = 1; })},
      {"must be understood", of([](hello_fields& f) {
         f.options = number(std::uint16_t{0x8001}) + number(std::uint16_t{0});
       })},
      {"longer than the hello", of([](hello_fields& f) {
         f.options = number(std::uint16_t{1}) + number(std::uint16_t{999});
       })},
      {"not alone", hello_packet() + pack({{.what = message, .body = op("hello")}})},
      {"message came in its place", pack({{.what = message, .body = op("hello")}})},
      {"hello: ", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"hello: ", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
      {"hello: ", std::string(32, '\0')},
      {"longer than 65536", std::string(70'000, 'x')},
  };
}

XPC_TEST_ROLE(foreign_hellos) {
  for (const greeting& each : wrong_greetings()) {
    line talk = line::to(call.arguments.at(0));
    const std::optional<frame> first = talk.receive();
    expect(first && first->what == hello, "no hello");
    expect(talk.send(each.packet), "nothing is taken");
    const std::string said = talk.read_to_end();
    expect(said.find(each.words) != std::string::npos,
           "for \"" + each.words + "\" it said \"" + said + "\"");
  }
  // One that claims to be somebody else and to know more is served as what it is.
  hello_fields boastful;
  boastful.options = number(std::uint16_t{6}) + number(std::uint16_t{4}) + "root";
  line talk = line::to(call.arguments.at(0));
  expect(talk.greet(boastful), "options that may be skipped");
  expect(talk.send(pack({{.what = request, .id = 1, .body = op("hello")}})), "no request");
  expect(talk.answer_to(1).has_value(), "no answer");
  return 0;
}

TEST_F(Attack, T51_HellosOfOtherVersionsFeaturesAndProtocolsAreRefusedClearly) {
  run_attacker("foreign_hellos");
  expect_unharmed();
}

}  // namespace
}  // namespace hostile
