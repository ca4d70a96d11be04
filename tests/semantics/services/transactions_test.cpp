// semantics.md, section 15: transactions. The test is the service manager: it holds the other end
// of the service link, and asks the service whether it is idle.
#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/patience.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "semantics/owned.hpp"
#include "semantics/talk.hpp"

namespace {

namespace base = openxpc::base;
using semantics::owned;

constexpr const char* name = "org.example.busy";

std::string op_of(xpc_object_t message) {
  const char* op = xpc_dictionary_get_string(message, "op");
  return op ? op : "";
}

xpc_object_t kept = nullptr;

void handle(xpc_object_t event, void* peer) {
  if (event == XPC_ERROR_TERMINATION_IMMINENT) xpc_testing::say("imminent");
  if (event == XPC_ERROR_CONNECTION_INVALID) {
    xpc_release(peer);
    xpc_testing::say("gone");
  }
  if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
  if (op_of(event) == "hold") kept = xpc_retain(event);
  if (op_of(event) == "reply") kept = xpc_dictionary_create_reply(event);
  xpc_testing::say("got");
}

void take_peer(xpc_object_t event, void*) {
  if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
  auto peer = static_cast<xpc_connection_t>(xpc_retain(event));
  xpc_connection_set_event_handler_f(peer, peer, handle);
  xpc_connection_activate(peer);
}

/// A service that does with its transactions what it reads from its input.
XPC_TEST_ROLE(busy) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  xpc_connection_t listener =
      xpc_connection_create_mach_service(name, nullptr, XPC_CONNECTION_MACH_SERVICE_LISTENER);
  xpc_connection_set_event_handler_f(listener, nullptr, take_peer);
  xpc_connection_activate(listener);
  for (std::string line = xpc_testing::hear(); !line.empty(); line = xpc_testing::hear()) {
    if (line == "begin") xpc_transaction_begin();
    if (line == "end") xpc_transaction_end();
    if (line == "drop") xpc_release(kept);
    if (line == "send") {
      xpc_connection_send_message(xpc_dictionary_get_remote_connection(kept), kept);
      // The reply itself stays: it is having been sent that counts.
    }
    xpc_testing::say(line);
  }
  return 5;
}

/// The service, and the two ways to it: the link and its name.
class service {
 public:
  service() {
    manager_ = xpc_connection_create(nullptr, nullptr);
    talk::set_handler(manager_, [this](xpc_object_t event) {
      if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
      auto link = static_cast<xpc_connection_t>(event);
      talk::set_handler(link, talk::into(told_));
      links_.put(talk::kept(link));
      xpc_connection_activate(link);
    });
    xpc_connection_activate(manager_);
    owned endpoint(xpc_endpoint_create(manager_));
    base::fd way(
        openxpc_endpoint_dup_fd(static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint))));
    base::fd link(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    connect_to(link.get(), "/proc/self/fd/" + std::to_string(way.get()));

    path_ = std::string(::getenv("XDG_RUNTIME_DIR")) + "/name";
    base::fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address = address_of(path_);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket.get(), 8), 0);
    process.emplace(xpc_testing::child::role(
        "busy", {.environment = {"LISTEN_FDS=1", std::string("LISTEN_FDNAMES=") + name,
                                 "OPENXPC_LINK_FD=4"},
                 .borrowed_fds = {socket.get(), link.get()}}));
    link_ = links_.take();
    EXPECT_EQ(op_of(told_.take().get()), "check-in");
  }
  ~service() {
    process.reset();
    while (told_.take().get() != XPC_ERROR_CONNECTION_INVALID) {
    }
    xpc_connection_cancel(manager_);
    xpc_release(manager_);
  }

  void does(const char* what) {
    process->write_line(what);
    process->expect_line(what);
  }
  /// What the service answers when it is asked to end if it is idle.
  std::string exit_if_idle() {
    owned order(xpc_dictionary_create_empty());
    xpc_dictionary_set_string(order, "op", "exit-if-idle");
    owned answer(xpc_connection_send_message_with_reply_sync(link(), order));
    return op_of(answer);
  }
  void expect_busy() { EXPECT_EQ(exit_if_idle(), "busy"); }
  /// It says so as soon as it has done with what it was told; then it ends.
  void expect_idle() {
    xpc_testing::wait_until("the service to be idle",
                            [this] { return exit_if_idle() == "terminating"; });
    EXPECT_EQ(process->wait(), xpc_testing::ending{.signal = SIGTERM});
  }
  void terminate() {
    owned order(xpc_dictionary_create_empty());
    xpc_dictionary_set_string(order, "op", "terminate");
    xpc_connection_send_message(link(), order);
  }

  xpc_connection_t client(talk::events& events) {
    owned endpoint(openxpc_endpoint_create_from_fd(::open(path_.c_str(), O_PATH | O_CLOEXEC)));
    xpc_connection_t made = xpc_connection_create_from_endpoint(
        static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)));
    talk::set_handler(made, talk::into(events));
    xpc_connection_activate(made);
    return made;
  }
  /// A client that sends one message, is there until the service has it, and leaves.
  void hears(const char* op) {
    talk::events events;
    xpc_connection_t from = client(events);
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_string(message, "op", op);
    ask(from, message);
    process->expect_line("got");
    talk::finish(from, events);
    process->expect_line("gone");
  }

  std::optional<xpc_testing::child> process;

 private:
  static void ignore(xpc_object_t, void*) {}
  static void ask(xpc_connection_t to, xpc_object_t message) {
    openxpc_connection_send_message_with_reply_f(to, message, nullptr, nullptr, ignore);
  }
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  static void connect_to(int fd, const std::string& path) {
    sockaddr_un address = address_of(path);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  xpc_connection_t link() const { return static_cast<xpc_connection_t>(link_.get()); }

  xpc_connection_t manager_;
  xpc_testing::mailbox<talk::kept> links_;
  talk::events told_;
  talk::kept link_;
  std::string path_;
};

TEST(SemanticsTransactions, R167_WithoutAnyAServiceIsIdleAndMayBeEnded) {
  service one;
  one.expect_idle();
}

TEST(SemanticsTransactions, R172_ManualOnesCount) {
  service one;
  one.does("begin");
  one.does("begin");
  one.does("end");
  one.expect_busy();
  one.does("end");
  one.expect_idle();
}

TEST(SemanticsTransactions, R168_R169_AMessageCountsUntilItsLastRelease) {
  service one;
  one.hears("hold");
  one.expect_busy();
  one.does("drop");
  one.expect_idle();
}

TEST(SemanticsTransactions, R170_AReplyTakesTheTransactionOverUntilItIsReleased) {
  service one;
  one.hears("reply");  // the message itself is gone
  one.expect_busy();
  one.does("drop");
  one.expect_idle();
}

TEST(SemanticsTransactions, R170_R171_OrUntilItIsSent) {
  service one;
  one.hears("reply");
  one.expect_busy();
  one.does("send");
  one.expect_idle();
}

TEST(SemanticsTransactions, R171_ARequestThatIsDroppedEndsItsOwn) {
  service one;
  one.hears("nothing");
  one.expect_idle();
}

TEST(SemanticsTransactions, R173_TheEndOfTheLastOneEndsAProcessThatWasAskedTo) {
  service one;
  talk::events events;
  xpc_connection_t peer = one.client(events);
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(message, "op", "hold");
  xpc_connection_send_message(peer, message);
  one.process->expect_line("got");
  one.does("begin");
  one.terminate();
  one.process->expect_line("imminent");
  one.process->expect_line("gone");  // the planned stop is over, and still it is there:
  one.does("drop");
  one.does("begin");
  one.does("end");
  one.process->write_line("end");
  EXPECT_EQ(one.process->wait(), xpc_testing::ending{.signal = SIGTERM});
  talk::finish(peer, events);
}

TEST(SemanticsTransactionsDeathTest, R174_EndingMoreThanWasBegunIsMisuse) {
  EXPECT_DEATH(
      {
        xpc_transaction_begin();
        xpc_transaction_end();
        xpc_transaction_end();
      },
      "XPC API Misuse: xpc_transaction_end: there is no transaction");
}

}  // namespace
