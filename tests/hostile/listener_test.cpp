// Listening sockets that somebody who holds them shuts down.

#include "support/mailbox.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdio>
#include <string>

#include "system/manager.hpp"

using namespace system_test;
using openxpc::base::fd;

namespace {

void answer_request(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  const char* op = ::xpc_dictionary_get_string(message, "op");
  if (op != nullptr && std::string(op) == "shut down") ::shutdown(3, SHUT_RDWR);
  const object_ref reply(::xpc_copy(message));
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// shuts_itself_down NAME: serves the name, and shuts its listening socket down when told to; says
/// when its listener ends.
XPC_TEST_ROLE(shuts_itself_down) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = answer_request;
  options.on_end = [](void*, xpc_rich_error_t) { std::fprintf(stderr, "its listener ended\n"); };
  const object_ref listener(
      ::openxpc_listener_open(call.arguments.at(0).c_str(), &options, nullptr));
  if (!listener) return 1;
  ::openxpc_wait_for_termination();
  return 0;
}

namespace {

TEST(ShutDownListener, OfTheProgramsOwnEndsWithTheReason) {
  const std::string path = xpc_testing::runtime_directory() + "/socket";
  fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket.get(), 8), 0);
  const fd other = fd::copy(socket.get());
  xpc_testing::mailbox<std::string> ends;
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.context = &ends;
  options.on_end = [](void* context, xpc_rich_error_t why) {
    static_cast<xpc_testing::mailbox<std::string>*>(context)->put(::openxpc_error_get_message(why));
  };
  const object_ref listener(
      ::openxpc_listener_open_fd(socket.release(), "org.example.own", &options, nullptr));
  ASSERT_TRUE(listener);
  ASSERT_EQ(::shutdown(other.get(), SHUT_RDWR), 0);
  EXPECT_EQ(ends.take(),
            "the listening socket takes no connection any more: somebody shut it down");
  ::openxpc_listener_wait_for_handlers(static_cast<xpc_listener_t>(listener.get()));
}

TEST(ShutDownListener, OfANameGoesOnWithItsConversationsUntilTheServiceEnds) {
  const std::string name = "org.example.shut";
  const manager xpcd(xpc_testing::runtime_directory() + "/domain");
  ASSERT_TRUE(xpcd.bootstrap(plist("shut", role("shuts_itself_down", {name}), {name},
                                   "<key>ThrottleInterval</key><integer>0</integer>")));
  session client = xpcd.open(name);
  ASSERT_TRUE(client.call("shut down"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.call("hello"));
  EXPECT_TRUE(texts_at(xpcd.print("shut"), "stderr").empty()) << "its listener is not over";
  // The service manager binds the name anew when the process has ended.
  ASSERT_TRUE(xpcd.verb("kickstart", "shut"));
  object_ref request = dictionary();
  set(request, "op", "kickstart");
  set(request, "label", "shut");
  ::xpc_dictionary_set_bool(request.get(), "kill", true);
  ASSERT_TRUE(xpcd.ask(request));
  answer again = xpcd.open(name).call("hello");
  EXPECT_TRUE(again) << again.message << xpcd.log();
}

}  // namespace
