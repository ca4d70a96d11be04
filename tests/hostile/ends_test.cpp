// What honest processes meet: the other side is killed in the middle of everything, blocks all its
// handlers, has no descriptors left, or gets more than it takes.

#include "support/patience.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/conversation.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hostile/scene.hpp"

using system_test::dictionary;
using system_test::number_at;
using system_test::object_ref;
using system_test::session;
using xpc_testing::role_call;

namespace hostile {
namespace {

session open_session(const role_call& call) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = call.arguments.at(0).c_str();
  return session(::openxpc_session_open(call.arguments.at(1).c_str(), &options, nullptr));
}

/// {op: rows}: more rows than anybody waits for.
openxpc_stream_t subscribe_rows(const session& talk, std::int64_t rows) {
  object_ref message = dictionary();
  set(message, "op", "rows");
  set(message, "policy", std::int64_t{OPENXPC_WHEN_FULL_DROP_NEWEST});
  set(message, "size", std::int64_t{100});
  set(message, "rows", rows);
  return ::openxpc_peer_subscribe(talk.get(), message.get(), 0, 0);
}

/// DIRECTORY NAME: has everything under way that can be: kept requests with descriptors, a
/// subscription, messages.
XPC_TEST_ROLE(busy_client) {
  session talk = open_session(call);
  std::vector<openxpc_call_t> calls;
  for (int i = 0; i < 50; ++i) {
    object_ref message = dictionary();
    set(message, "op", "keep");
    ::xpc_dictionary_set_fd(message.get(), "v", STDERR_FILENO);
    calls.push_back(::openxpc_peer_call(talk.get(), message.get(), nullptr));
  }
  openxpc_stream_t rows = subscribe_rows(talk, 10);
  openxpc_row_s row{};
  if (::openxpc_stream_wait_next(rows, OPENXPC_FOREVER, &row) != OPENXPC_NEXT_ROW) return 1;
  xpc_testing::say("busy");
  for (;;) ::pause();
}

TEST_F(Attack, AClientKilledInTheMiddleIsNoticedAndLeavesNothingBehind) {
  std::vector<xpc_testing::child> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(xpc_testing::child::role("busy_client", {.arguments = {xpcd.directory(), name}}));
  for (xpc_testing::child& one : all) one.expect_line("busy");
  EXPECT_GT(xpc_testing::descriptor_count(service), descriptors + 200);
  for (xpc_testing::child& one : all) {
    one.kill(SIGKILL);
    one.wait();
  }
  for (int i = 0; i < 4; ++i) expect_ending("went away");
  EXPECT_TRUE(honest.call("let-go"));
  expect_unharmed();
}

TEST_F(Attack, AServiceKilledInMidStreamAndMidReplyFailsBothAndIsStartedAgain) {
  openxpc_stream_t rows = subscribe_rows(honest, 100'000);
  openxpc_row_s row{};
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_EQ(::openxpc_stream_wait_next(rows, OPENXPC_FOREVER, &row), OPENXPC_NEXT_ROW);
    EXPECT_EQ(row.sequence, i);
    ::xpc_release(row.value);
  }
  session other = xpcd.open(name);
  openxpc_call_t pending = other.begin("keep");
  // It has the request once this, which was sent after it, is answered.
  ASSERT_TRUE(other.call("hello"));
  ASSERT_EQ(::kill(service, SIGKILL), 0);
  const system_test::answer lost = session::wait(pending);
  EXPECT_EQ(lost.code, OPENXPC_ERROR_INTERRUPTED) << lost.message;
  EXPECT_TRUE(lost.flags & OPENXPC_ERROR_OUTCOME_UNKNOWN);
  // Rows that had come are there in order, then the end with its reason.
  std::uint64_t next = 100;
  openxpc_next what;
  while ((what = ::openxpc_stream_wait_next(rows, OPENXPC_FOREVER, &row)) == OPENXPC_NEXT_ROW) {
    EXPECT_EQ(row.sequence, next++);
    ::xpc_release(row.value);
  }
  EXPECT_EQ(what, OPENXPC_NEXT_END);
  xpc_rich_error_t why = ::openxpc_stream_copy_error(rows);
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(::openxpc_error_get_code(why), OPENXPC_ERROR_INTERRUPTED);
  ::xpc_release(why);
  ::openxpc_stream_release(rows);
  session late = xpcd.open(name);
  const system_test::answer again = late.call("hello");
  ASSERT_TRUE(again) << again.message;
  EXPECT_NE(number_at(again.reply, "pid"), service);
  EXPECT_EQ(late.pid(), number_at(again.reply, "pid"));
}

TEST_F(Attack, R081_SixtyFourHandlersBlockedAtOnceWhileCallsAreAnswered) {
  std::vector<session> clients;
  std::vector<openxpc_call_t> blocked;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(xpcd.open(name));
    blocked.push_back(clients.back().begin("block"));
  }
  xpc_testing::wait_until("64 handlers to be blocked",
                          [&] { return number_at(honest.call("count").reply, "blocked") == 64; });
  for (int i = 0; i < 100; ++i) expect_answers();
  session late = xpcd.open(name);
  EXPECT_TRUE(late.call("hello"));
  for (openxpc_call_t one : blocked) EXPECT_FALSE(::openxpc_call_is_ready(one));
  EXPECT_TRUE(honest.call("let-go"));
  for (openxpc_call_t one : blocked) EXPECT_TRUE(session::wait(one));
  clients.clear();
  late.end();
  expect_unharmed();
}

TEST_F(Attack, AMessageLargerThanTheServiceTakesIsRefusedHereAndTheConversationGoesOn) {
  void* bytes = nullptr;
  const std::size_t size = std::size_t{129} << 20;
  xpc_object_t data = ::openxpc_data_create_blank(size, &bytes);
  ::openxpc_data_finish(data, size);
  object_ref message = dictionary();
  set(message, "op", "hello");
  ::xpc_dictionary_set_value(message.get(), "v", data);
  ::xpc_release(data);
  const system_test::answer refused = honest.call(message);
  EXPECT_EQ(refused.code, OPENXPC_ERROR_TOO_LARGE) << refused.message;
  EXPECT_NE(refused.message, "");
  expect_unharmed();
}

/// More clients than the service has descriptors for.
class Crowd : public Attack {
 protected:
  static bool may_have_many() {
    rlimit limit;
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= 4096;
  }
  const std::size_t clients = may_have_many() ? 1000 : 200;
  Crowd() : Attack({may_have_many() ? "1024" : "256"}) {}
};

TEST_F(Crowd, WithTooFewDescriptorsSomeAreToldToTryAgainAndServedWhenOthersLeave) {
  std::vector<session> all;
  std::vector<openxpc_call_t> calls;
  for (std::size_t i = 0; i < clients; ++i) {
    all.push_back(xpcd.open(name));
    calls.push_back(all.back().begin("hello"));
  }
  std::vector<session> served;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    system_test::answer got = session::wait(calls[i]);
    if (got) {
      EXPECT_EQ(number_at(got.reply, "pid"), service);
      served.push_back(std::move(all[i]));
      continue;
    }
    ++refused;
    EXPECT_TRUE(got.flags & OPENXPC_ERROR_CAN_RETRY);
    // A quarter of the descriptors is for clients that are still saying who they are.
    if (got.code == OPENXPC_ERROR_TOO_MANY) continue;
    EXPECT_EQ(got.code, OPENXPC_ERROR_NO_RESOURCES) << got.message;
    EXPECT_NE(got.message.find("ulimit -n"), std::string::npos) << got.message;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(served.size(), 80u);
  // Those that are in are served as ever.
  for (session& one : served) EXPECT_TRUE(one.call("hello"));
  expect_answers();
  served.clear();
  // When they have left, as many come in who had to wait.
  std::vector<session> late;
  xpc_testing::wait_until("room for those who were refused", [&] {
    late.push_back(xpcd.open(name));
    if (!late.back().call("hello")) late.pop_back();
    return late.size() == std::min<std::size_t>(refused, 80);
  });
  late.clear();
  all.clear();
  expect_unharmed();
}

}  // namespace
}  // namespace hostile
