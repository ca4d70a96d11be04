// What goes between two processes: descriptors by the thousand, messages both ways at once, calls
// that need the one who calls, endpoints handed through others.

#include "support/mailbox.hpp"
#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include <fstream>
#include <thread>

#include "system/blocking_send.hpp"
#include "system/manager.hpp"

namespace system_test {
namespace {

class Traffic : public ::testing::Test {
 protected:
  manager xpcd{xpc_testing::runtime_directory() + "/domain"};

  void load(const std::string& role_name, std::vector<std::string> arguments = {}) {
    const std::string name = "org.example." + role_name;
    arguments.insert(arguments.begin(), name);
    answer loaded = xpcd.bootstrap(plist(role_name, role(role_name, arguments), {name}));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  session open_with(const std::string& name, openxpc_conversation_options_s options) const {
    options.size = sizeof options;
    options.domain_directory = xpcd.directory().c_str();
    return session(::openxpc_session_open(name.c_str(), &options, nullptr));
  }
};

TEST_F(Traffic, TenThousandDescriptorsThereAndBackAndNoneLeaks) {
  load("files");
  session client = xpcd.open("org.example.files");
  answer first = client.call("hello");
  ASSERT_TRUE(first) << first.message;
  const auto service = static_cast<pid_t>(number_at(first.reply, "pid"));
  const openxpc::base::fd file(::memfd_create("a file", MFD_CLOEXEC));
  const std::size_t ours = xpc_testing::descriptor_count();
  const std::size_t theirs = xpc_testing::descriptor_count(service);
  for (int i = 0; i < 100; ++i) {
    object_ref message = dictionary();
    object_ref files(::xpc_array_create_empty());
    for (int each = 0; each < 100; ++each)
      ::xpc_array_set_fd(files.get(), XPC_ARRAY_APPEND, file.get());
    ::xpc_dictionary_set_value(message.get(), "files", files.get());
    answer reply = client.call(message);
    ASSERT_TRUE(reply) << reply.message;
    ASSERT_EQ(number_at(reply.reply, "open"), 100);
    xpc_object_t back = ::xpc_dictionary_get_array(reply.reply.get(), "files");
    ASSERT_EQ(::xpc_array_get_count(back), 100u);
    const openxpc::base::fd one(::xpc_array_dup_fd(back, 99));
    EXPECT_TRUE(one);
  }
  xpc_testing::wait_until("our descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count() <= ours; });
  xpc_testing::wait_until("the service's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(service) <= theirs; });
}

/// What the client's side of the traffic counts.
struct taken {
  std::int64_t next = 0, wrong = 0, count = 0;
  xpc_testing::event all;
};

void take_one(void* context, openxpc_request_t message) {
  auto& to = *static_cast<taken*>(context);
  xpc_object_t content = ::openxpc_request_get_message(message);
  if (::xpc_dictionary_get_int64(content, "n") != to.next) ++to.wrong;
  ::openxpc_request_release(message);
  std::this_thread::yield();
  if (++to.next == to.count) to.all.set();
}

TEST_F(Traffic, BothSidesSendAsFastAsTheyCanIntoFullSocketsAndNothingIsLost) {
  load("both_ways");
  taken here;
  here.count = 20'000;
  openxpc_conversation_options_s options{};
  options.handlers.context = &here;
  options.handlers.on_message = take_one;
  session client = open_with("org.example.both_ways", options);
  answer before = client.call("hello");
  ASSERT_TRUE(before) << before.message;
  const auto service = static_cast<pid_t>(number_at(before.reply, "pid"));
  const std::size_t memory = xpc_testing::resident_bytes(service);
  EXPECT_TRUE(send_numbered(client.get(), here.count));
  here.all.wait();
  EXPECT_EQ(here.wrong, 0);
  answer after;
  xpc_testing::wait_until("the service to have handled all", [&] {
    after = client.call("hello");
    return after && number_at(after.reply, "received") == here.count;
  });
  EXPECT_EQ(number_at(after.reply, "wrong"), 0);
  // 80 MB went each way; what may wait is 4 MiB here, 1 MiB there, and the socket.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(xpc_testing::resident_bytes(service), memory + (32u << 20));
#endif
  (void)memory;
  client.end();
}

void answer_by_asking(void* context, openxpc_request_t request) {
  // The service's handler that would answer this is the one that waits for us.
  auto& to = *static_cast<session*>(context);
  openxpc_call_options_s options{};
  options.size = sizeof options;
  options.timeout_ns = 50'000'000;
  object_ref question = dictionary();
  answer got = session::wait(::openxpc_peer_call(to.get(), question.get(), &options));
  object_ref reply = dictionary();
  set(reply, "inner", static_cast<std::int64_t>(got.code));
  ::openxpc_request_reply(request, reply.get());
}

TEST_F(Traffic, ANestedCallThatNeedsARunningHandlerEndsByItsTimeout) {
  load("asks_back");
  session client;
  openxpc_conversation_options_s options{};
  options.handlers.context = &client;
  options.handlers.on_request = answer_by_asking;
  client = open_with("org.example.asks_back", options);
  object_ref message = dictionary();
  ::xpc_dictionary_set_bool(message.get(), "ask-back", true);
  answer got = client.call(message);
  ASSERT_TRUE(got) << got.message;
  EXPECT_EQ(number_at(got.reply, "code"), OPENXPC_ERROR_NONE) << "the chain itself is answered";
  EXPECT_EQ(number_at(got.reply, "inner"), OPENXPC_ERROR_TIMED_OUT);
  EXPECT_TRUE(client.call("after")) << "and the conversation goes on";
  client.end();
}

TEST_F(Traffic, R131_AnEndpointHandedThroughAThirdProcessLeadsStraightToItsOwner) {
  load("gives_endpoint");
  load("relays", {xpcd.directory(), "org.example.gives_endpoint"});
  answer relayed = xpcd.open("org.example.relays").call("endpoint");
  ASSERT_TRUE(relayed) << relayed.message;
  const std::int64_t owner = number_at(xpcd.print("gives_endpoint"), "pid");
  const auto third = static_cast<pid_t>(number_at(xpcd.print("relays"), "pid"));
  ASSERT_NE(owner, third);
  auto endpoint =
      static_cast<xpc_endpoint_t>(::xpc_dictionary_get_value(relayed.reply.get(), "endpoint"));
  ASSERT_NE(endpoint, nullptr);
  session straight(::openxpc_session_open_endpoint(endpoint, nullptr, nullptr));
  answer first = straight.call("hello");
  ASSERT_TRUE(first) << first.message;
  EXPECT_EQ(number_at(first.reply, "pid"), owner);
  EXPECT_EQ(straight.pid(), owner) << "the third one is never named";
  // The third process is of no further importance.
  ASSERT_EQ(::kill(third, SIGKILL), 0);
  wait_until_gone(third);
  EXPECT_TRUE(straight.call("hello"));
  session another(::openxpc_session_open_endpoint(endpoint, nullptr, nullptr));
  EXPECT_EQ(number_at(another.call("hello").reply, "pid"), owner);
}

TEST(XpcdStart, ADirectoryThatCannotBeMadeOrWrittenIsAClearError) {
  // Where not even root may make anything.
  for (const char* directory : {"/proc/self/domain", "/proc/fs"}) {
    xpc_testing::child_options options;
    options.arguments = {"--domain", directory};
    xpc_testing::run_result got = xpc_testing::run(xpc_testing::xpcd_program, options);
    EXPECT_GE(got.end.status, 64) << directory;
    EXPECT_LE(got.end.status, 78) << directory;
    EXPECT_NE(got.error.find(directory), std::string::npos) << got.error;
  }
}

}  // namespace
}  // namespace system_test
