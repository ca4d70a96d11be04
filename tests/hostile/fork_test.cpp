// T71: a process that goes on in two after fork. The child's conversations are over and say so; the
// parent loses nothing.

#include "support/role.hpp"

#include <xpc/openxpc/conversation.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "hostile/scene.hpp"

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

// AddressSanitizer's allocator takes no care of forks: a child that was born while another thread
// was in it waits for ever at one of its first allocations. Such children tell nothing about us; a
// few of them may be replaced by others.
#if defined(__SANITIZE_ADDRESS__)
constexpr int replaced_most = 4;
constexpr unsigned hangs_after_seconds = 5;
#else
constexpr int replaced_most = 0;
constexpr unsigned hangs_after_seconds = 20;
#endif

/// What a child of the fork does: everything it may try with the conversation it was born with.
int use_in_child(xpc_object_t peer) {
  ::alarm(hangs_after_seconds);
  xpc_object_t message = ::xpc_dictionary_create_empty();
  ::xpc_dictionary_set_string(message, "op", "hello");
  xpc_rich_error_t error = ::openxpc_peer_send(peer, message);
  if (error == nullptr) return 1;
  xpc_rich_error_t why = nullptr;
  openxpc_call_t call = ::openxpc_peer_call(peer, message, nullptr);
  if (::openxpc_call_wait(call, &why) != nullptr) return 2;
  ::openxpc_call_release(call);
  if (::openxpc_error_get_code(why) != OPENXPC_ERROR_CANCELED) return 3;
  if (!::openxpc_peer_is_over(peer)) return 4;
  ::openxpc_peer_cancel(peer, "the child");
  ::openxpc_peer_wait_for_handlers(peer);
  bool closed = false;
  ::openxpc_peer_close(peer, &closed, [](void* told) { *static_cast<bool*>(told) = true; });
  if (!closed) return 5;
  openxpc_row_s row{};
  openxpc_stream_t stream = ::openxpc_peer_subscribe(peer, message, 0, 0);
  if (::openxpc_stream_wait_next(stream, OPENXPC_FOREVER, &row) != OPENXPC_NEXT_END) return 6;
  return 0;
}

/// DIRECTORY NAME FORKS: two threads call without a pause while the process forks.
XPC_TEST_ROLE(fork_storm) {
  session shared = open_session(call);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, right{0};
  auto work = [&](session& talk) {
    while (!stop) (talk.call("hello") ? right : wrong)++;
  };
  session own = open_session(call);
  if (!shared.call("hello") || !own.call("hello")) return 1;
  std::thread one([&] { work(shared); }), other([&] { work(own); });
  int failed = 0, replaced = 0;
  for (int left = std::stoi(call.arguments.at(2)); left > 0; --left) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(use_in_child(shared.get()));
    int status = -1;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM && replaced < replaced_most) {
      ++replaced;
      ++left;
    } else if (status != 0) {
      ++failed;
      std::fprintf(stderr, "the child ended with %d\n", status);
    }
  }
  stop = true;
  one.join();
  other.join();
  xpc_testing::say(std::to_string(failed) + " children failed, " + std::to_string(wrong) +
                   " calls of the parent");
  return right > 0 ? 0 : 1;
}

TEST_F(Attack, T71_AForkStormUnderLoadLosesNothingOfTheParent) {
  xpc_testing::child one =
      xpc_testing::child::role("fork_storm", {.arguments = {xpcd.directory(), name, "200"}});
  one.expect_line("0 children failed, 0 calls of the parent");
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  expect_unharmed();
}

/// DIRECTORY NAME: dies and leaves a child that keeps all it inherited.
XPC_TEST_ROLE(leaves_a_child) {
  session talk = open_session(call);
  if (!talk.call("hello")) return 1;
  const pid_t child = ::fork();
  if (child == 0)
    for (;;) ::pause();
  xpc_testing::say(std::to_string(child));
  ::raise(SIGKILL);
  return 0;
}

TEST_F(Attack, T71_AChildThatOutlivesItsParentKeepsNoConversationOpen) {
  xpc_testing::child one =
      xpc_testing::child::role("leaves_a_child", {.arguments = {xpcd.directory(), name}});
  const pid_t left = std::stoi(one.read_line().value_or("0"));
  EXPECT_EQ(one.wait().signal, SIGKILL);
  // The service sees the end all the same.
  expect_ending("went away");
  EXPECT_TRUE(system_test::is_alive(left));
  ::kill(left, SIGKILL);
  expect_unharmed();
}

TEST_F(Attack, T71_AServiceThatForksGoesOn) {
  for (int i = 0; i < 50; ++i) {
    system_test::answer reply = honest.call("fork");
    ASSERT_TRUE(reply) << reply.message;
    EXPECT_EQ(system_test::number_at(reply.reply, "status"), 0);
  }
  expect_unharmed();
}

}  // namespace
}  // namespace hostile
