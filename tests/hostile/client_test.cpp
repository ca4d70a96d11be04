// What a hostile service can do to its client: answers of the wrong type, shape, number and size,
// no answer at all, descriptors nobody asked for. The client is this process; it must neither
// crash nor hang, and what it holds is what it held before.

#include "support/child.hpp"
#include "support/mailbox.hpp"
#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/conversation.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>

#include "hostile/behaviours.hpp"
#include "hostile/raw.hpp"
#include "system/manager.hpp"

using openxpc::base::fd;
using system_test::dictionary;
using system_test::number_at;
using system_test::object_ref;
using system_test::session;
using xpc_testing::role_call;

namespace hostile {
namespace {

/// The service's first word, where that is what is wrong.
std::string first_word(const std::string& how) {
  hello_fields fields;
  if (how == "other-version") fields.lowest = 7, fields.highest = 9;
  if (how == "no-credit") fields.credit_bytes = 0;
  if (how == "must-be-understood")
    fields.options = number(std::uint16_t{0x9000}) + number(std::uint16_t{0});
  if (how == "foreign") return "220 mail.example.org ESMTP\r\n";
  if (how == "not-hello") return pack({{.what = reply, .id = 1, .body = good_body()}});
  return hello_packet(fields);
}

/// PATH BEHAVIOUR: listens at the path and behaves like that to each client in turn.
XPC_TEST_ROLE(hostile_service) {
  const std::string how = call.arguments.at(1);
  fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", call.arguments.at(0).c_str());
  auto* where = reinterpret_cast<sockaddr*>(&address);
  expect(::bind(listener.get(), where, sizeof address) == 0, "bind");
  expect(::listen(listener.get(), 16) == 0, "listen");
  xpc_testing::say("ready");
  for (;;) {
    line talk{fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
    if (how == "silent") {
      talk.receive();
      continue;
    }
    talk.send(first_word(how));
    const std::optional<frame> heard = talk.receive();
    if (!heard || heard->what != hello) continue;
    if (const std::optional<frame> first = next_request(talk)) behaviours().at(how)(talk, *first);
  }
}

class HostileService : public ::testing::Test {
 protected:
  ~HostileService() override {
    client.end();
    service.reset();
  }

  void meet(const std::string& how, std::uint64_t message_bytes = 0) {
    client.end();
    service.reset();
    const std::string path = xpc_testing::runtime_directory() + "/evil-" + std::to_string(++met_);
    service.emplace(xpc_testing::child::role("hostile_service", {.arguments = {path, how}}));
    service->expect_line("ready");
    xpc_endpoint_t endpoint =
        ::openxpc_endpoint_create_from_fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    openxpc_conversation_options_s options{};
    options.size = sizeof options;
    options.limits.message_bytes = message_bytes;
    client = session(::openxpc_session_open_endpoint(endpoint, &options, nullptr));
    ::xpc_release(endpoint);
  }
  system_test::answer call(std::chrono::nanoseconds timeout = xpc_testing::patience()) const {
    openxpc_call_options_s options{};
    options.size = sizeof options;
    options.timeout_ns = static_cast<std::uint64_t>(timeout.count());
    object_ref message = dictionary();
    return session::wait(::openxpc_peer_call(client.get(), message.get(), &options));
  }
  /// The conversation is over, with the reason, and a new one with the same service works.
  void expect_over() {
    xpc_testing::wait_until("the conversation to be over",
                            [&] { return ::openxpc_peer_is_over(client.get()); });
    EXPECT_FALSE(call());
  }
  /// The next call over the same conversation is answered.
  void expect_goes_on() {
    system_test::answer next = call();
    ASSERT_TRUE(next) << next.message;
    EXPECT_EQ(number_at(next.reply, "n"), 42);
  }

  std::optional<xpc_testing::child> service;
  session client;

 private:
  int met_ = 0;
};

TEST_F(HostileService, T39_RepliesOfTheWrongTypeReadAsNothing) {
  meet("wrong-types");
  system_test::answer got = call();
  ASSERT_TRUE(got) << got.message;
  EXPECT_EQ(::xpc_dictionary_get_int64(got.reply.get(), "n"), 0);
  EXPECT_EQ(::xpc_dictionary_get_string(got.reply.get(), "v"), nullptr);
  EXPECT_EQ(::xpc_dictionary_get_remote_connection(got.reply.get()), nullptr);
  expect_goes_on();
}

TEST_F(HostileService, T39_FailuresOfTheWrongTypesAreErrorsAllTheSame) {
  for (const char* how : {"failure-of-wrong-types", "failure-without-object"}) {
    SCOPED_TRACE(how);
    meet(how);
    system_test::answer got = call();
    EXPECT_FALSE(got);
    EXPECT_NE(got.code, OPENXPC_ERROR_NONE);
    expect_goes_on();
  }
}

TEST_F(HostileService, T40_RepliesThatBreakTheEncodingFailTheirCallWithTheOffset) {
  for (const char* how : {"no-dictionary", "no-object"}) {
    SCOPED_TRACE(how);
    meet(how);
    system_test::answer got = call();
    EXPECT_EQ(got.code, OPENXPC_ERROR_MALFORMED);
    EXPECT_NE(got.message.find("offset "), std::string::npos) << got.message;
    expect_goes_on();
  }
}

TEST_F(HostileService, T40_ARowThatBreaksTheEncodingEndsItsStreamThereWithTheOffset) {
  meet("a-row-without-object");
  object_ref message = dictionary();
  openxpc_stream_t rows = ::openxpc_peer_subscribe(client.get(), message.get(), 0, 0);
  openxpc_row_s taken{};
  for (std::uint64_t n = 0; n < 2; ++n) {
    ASSERT_EQ(::openxpc_stream_wait_next(rows, OPENXPC_FOREVER, &taken), OPENXPC_NEXT_ROW);
    EXPECT_EQ(taken.sequence, n);
    ::xpc_release(taken.value);
  }
  for (int again = 0; again < 2; ++again)
    EXPECT_EQ(::openxpc_stream_wait_next(rows, OPENXPC_FOREVER, &taken), OPENXPC_NEXT_END);
  xpc_rich_error_t why = ::openxpc_stream_copy_error(rows);
  ASSERT_NE(why, nullptr) << "the writer's own end does not hide it";
  EXPECT_EQ(::openxpc_error_get_code(why), OPENXPC_ERROR_MALFORMED);
  ::xpc_release(why);
  ::openxpc_stream_release(rows);
  expect_goes_on();
}

TEST_F(HostileService, T47_ForeignAndWrongAnswersEndTheConversationAndItsCalls) {
  for (const char* how : {"foreign-id", "a-row", "accepted"}) {
    SCOPED_TRACE(how);
    meet(how);
    system_test::answer got = call();
    EXPECT_EQ(got.code, OPENXPC_ERROR_INTERRUPTED) << got.message;
    EXPECT_NE(got.message.find("broke the protocol"), std::string::npos) << got.message;
    expect_over();
  }
}

TEST_F(HostileService, T47_ARepeatedReplyEndsTheConversationAndTheFirstOneCounts) {
  meet("twice");
  system_test::answer got = call();
  ASSERT_TRUE(got) << got.message;
  EXPECT_EQ(number_at(got.reply, "n"), 42);
  expect_over();
  meet("again-later");
  EXPECT_TRUE(call());
  EXPECT_EQ(call().code, OPENXPC_ERROR_INTERRUPTED);
  expect_over();
}

TEST_F(HostileService, T47_ALateReplyIsDroppedAndTheNextCallGetsItsOwn) {
  meet("late");
  EXPECT_EQ(call(std::chrono::milliseconds(50)).code, OPENXPC_ERROR_TIMED_OUT);
  expect_goes_on();
}

TEST_F(HostileService, T47_ARequestThatIsNeverAnsweredEndsAtItsDeadline) {
  meet("never");
  EXPECT_EQ(call(std::chrono::milliseconds(50)).code, OPENXPC_ERROR_TIMED_OUT);
  expect_goes_on();
}

TEST_F(HostileService, T42_RepliesBeyondTheClientsLimitEndTheConversation) {
  meet("huge", 100'000);
  system_test::answer got = call();
  EXPECT_FALSE(got);
  EXPECT_NE(got.message.find("message_bytes"), std::string::npos) << got.message;
  expect_over();
  meet("huge");
  EXPECT_TRUE(call()) << "within the limit it is only long";
}

TEST_F(HostileService, T42_T48_SizesAndCreditsThatMakeNoSenseEndTheConversation) {
  for (const char* how : {"a-gibibyte", "credit-that-falls", "credit-without-end"}) {
    SCOPED_TRACE(how);
    meet(how);
    EXPECT_EQ(call().code, OPENXPC_ERROR_INTERRUPTED);
    expect_over();
  }
}

TEST_F(HostileService, T45_DescriptorsNobodyAskedForAreClosed) {
  meet("unasked-descriptors");
  EXPECT_EQ(call().code, OPENXPC_ERROR_MALFORMED);
  expect_goes_on();
  for (const char* how : {"unannounced-descriptors", "descriptors-with-a-control-frame"}) {
    SCOPED_TRACE(how);
    meet(how);
    call();
    expect_over();
  }
  meet("a-file-for-an-endpoint");
  system_test::answer got = call();
  ASSERT_TRUE(got) << got.message;
  xpc_connection_t made = ::xpc_dictionary_create_connection(got.reply.get(), "v");
  if (made) {
    xpc_testing::event invalid;
    ::xpc_connection_set_event_handler_f(made, &invalid, [](xpc_object_t event, void* told) {
      if (event == XPC_ERROR_CONNECTION_INVALID) static_cast<xpc_testing::event*>(told)->set();
    });
    ::xpc_connection_activate(made);
    object_ref message = dictionary();
    xpc_object_t reply = ::xpc_connection_send_message_with_reply_sync(made, message.get());
    EXPECT_EQ(::xpc_get_type(reply), XPC_TYPE_ERROR) << "a file is no endpoint";
    ::xpc_release(reply);
    invalid.wait();
    ::xpc_release(made);
  }
  expect_goes_on();
  // The harness compares the descriptors of this process.
}

/// FILE: calls whoever listens there, says the code of the error.
XPC_TEST_ROLE(plain_client) {
  xpc_endpoint_t endpoint =
      ::openxpc_endpoint_create_from_fd(::open(call.arguments.at(0).c_str(), O_PATH | O_CLOEXEC));
  session client(::openxpc_session_open_endpoint(endpoint, nullptr, nullptr));
  ::xpc_release(endpoint);
  xpc_testing::say(std::to_string(client.call("hello").code));
  return 0;
}

TEST_F(HostileService, T45_ADescriptorThatBlocksOnCloseDoesNotHoldUpTheCaller) {
  const std::string path = xpc_testing::runtime_directory() + "/evil";
  xpc_testing::child evil =
      xpc_testing::child::role("hostile_service", {.arguments = {path, "lingering-socket"}});
  evil.expect_line("ready");
  xpc_testing::child caller = xpc_testing::child::role("plain_client", {.arguments = {path}});
  evil.expect_line("asked");
  // While the caller is stopped the service lets go of its own descriptor.
  caller.kill(SIGSTOP);
  evil.write_line("answer");
  evil.expect_line("sent");
  caller.kill(SIGCONT);
  caller.expect_line(std::to_string(OPENXPC_ERROR_MALFORMED));
  evil.write_line("end");
  evil.kill(SIGKILL);
  evil.wait();
  EXPECT_EQ(caller.wait(), (xpc_testing::ending{0, 0}));
}

TEST_F(HostileService, T50_AServiceThatLeavesWithoutAWordFailsTheCall) {
  meet("leaves");
  EXPECT_EQ(call().code, OPENXPC_ERROR_INTERRUPTED);
  expect_over();
}

TEST_F(HostileService, T51_HellosOfAnotherKindAreRefusedWithTheReason) {
  const std::pair<const char*, const char*> all[] = {{"other-version", "theirs 7 to 9"},
                                                     {"no-credit", "credit_bytes is 0"},
                                                     {"must-be-understood", "must be understood"},
                                                     {"foreign", "hello"},
                                                     {"not-hello", "came in its place"}};
  for (const auto& [how, words] : all) {
    SCOPED_TRACE(how);
    meet(how);
    system_test::answer got = call();
    EXPECT_EQ(got.code, OPENXPC_ERROR_INCOMPATIBLE);
    EXPECT_NE(got.message.find(words), std::string::npos) << got.message;
    EXPECT_TRUE(got.flags & OPENXPC_ERROR_NOT_ACCEPTED);
  }
  for (const char* how : {"second-hello", "refuses-late"}) {
    SCOPED_TRACE(how);
    meet(how);
    EXPECT_FALSE(call());
    expect_over();
  }
}

TEST_F(HostileService, T49_AServiceThatSaysNothingIsLeftAtTheDeadline) {
  meet("silent");
  EXPECT_EQ(call(std::chrono::milliseconds(50)).code, OPENXPC_ERROR_TIMED_OUT);
}

}  // namespace
}  // namespace hostile
