#pragma once

#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/patience.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "semantics/owned.hpp"
#include "semantics/talk.hpp"

namespace semantics {

namespace base = openxpc::base;

inline std::string op_of(xpc_object_t message) {
  const char* op = xpc_dictionary_get_string(message, "op");
  return op ? op : "";
}
inline owned order(const char* op) {
  owned made(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(made, "op", op);
  return made;
}

/// What a role that is a service says of itself before it uses the library: its sockets are for
/// this process.
inline void take_sockets() { ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1); }

/// A service that was started as a service manager would, which the test is: it owns the names'
/// sockets, and holds the other end of the service link.
class linked_service {
 public:
  explicit linked_service(std::vector<std::string> names) : names_(std::move(names)) {
    domain_ = std::string(::getenv("XDG_RUNTIME_DIR")) + "/domain";
    std::filesystem::create_directory(domain_);
    std::filesystem::permissions(domain_, std::filesystem::perms::owner_all);
    ::setenv("OPENXPC_DOMAIN", domain_.c_str(), 1);
    control_ = listening(domain_ + "/.control");
    for (const std::string& each : names_) sockets_.push_back(listening(domain_ + "/" + each));
    manager_ = xpc_connection_create(nullptr, nullptr);
    talk::set_handler(manager_, [this](xpc_object_t event) {
      if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
      auto link = static_cast<xpc_connection_t>(event);
      talk::set_handler(link, talk::into(told));
      links_.put(talk::kept(link));
      xpc_connection_activate(link);
    });
    xpc_connection_activate(manager_);
  }
  ~linked_service() {
    if (process) end();
    xpc_connection_cancel(manager_);
    xpc_release(manager_);
    ::unsetenv("OPENXPC_DOMAIN");
    std::filesystem::remove_all(domain_);
  }

  /// Starts an instance: a role of this test program.
  void start(const char* role, std::vector<std::string> arguments = {}, bool keep_stderr = false) {
    owned endpoint(xpc_endpoint_create(manager_));
    base::fd way(
        openxpc_endpoint_dup_fd(static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint))));
    base::fd link(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address = address_of("/proc/self/fd/" + std::to_string(way.get()));
    EXPECT_EQ(::connect(link.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::string all;
    std::vector<int> fds;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      all += (i ? ":" : "") + names_[i];
      fds.push_back(sockets_[i].get());
    }
    fds.push_back(link.get());
    process.emplace(xpc_testing::child::role(
        role,
        {.arguments = std::move(arguments),
         .environment = {"LISTEN_FDS=" + std::to_string(names_.size()), "LISTEN_FDNAMES=" + all,
                         "OPENXPC_LINK_FD=" + std::to_string(3 + names_.size())},
         .borrowed_fds = fds,
         .keep_stderr = keep_stderr}));
  }
  /// Waits until it has checked in; what it said then.
  talk::kept checked_in() {
    link_ = links_.take();
    talk::kept hello = told.take();
    EXPECT_EQ(op_of(hello.get()), "check-in");
    return hello;
  }
  /// Kills it, if it is still there, and waits until its link is gone.
  void end() {
    process.reset();
    if (!link_.get()) return;
    while (told.take().get() != XPC_ERROR_CONNECTION_INVALID) {
    }
    link_ = {};
  }

  /// What the service answers when it is asked to end if it is idle.
  std::string exit_if_idle() {
    owned answer(xpc_connection_send_message_with_reply_sync(link(), order("exit-if-idle")));
    return op_of(answer);
  }
  void expect_busy() { EXPECT_EQ(exit_if_idle(), "busy"); }
  /// It says so as soon as it has done with what it was told; then it ends.
  void expect_idle() {
    xpc_testing::wait_until("the service to be idle",
                            [this] { return exit_if_idle() == "terminating"; });
    EXPECT_EQ(process->wait(), xpc_testing::ending{.signal = SIGTERM});
  }
  void terminate() { xpc_connection_send_message(link(), order("terminate")); }

  /// A client of the first name.
  xpc_connection_t client(talk::events& events) const {
    xpc_connection_t made = xpc_connection_create_mach_service(names_.front().c_str(), nullptr, 0);
    talk::set_handler(made, talk::into(events));
    xpc_connection_activate(made);
    return made;
  }

  std::optional<xpc_testing::child> process;
  talk::events told;  ///< on the link

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  static base::fd listening(const std::string& path) {
    base::fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(made.get(), 8), 0);
    return made;
  }
  xpc_connection_t link() const { return static_cast<xpc_connection_t>(link_.get()); }

  std::vector<std::string> names_;
  std::string domain_;
  base::fd control_;
  std::vector<base::fd> sockets_;
  xpc_connection_t manager_;
  xpc_testing::mailbox<talk::kept> links_;
  talk::kept link_;
};

}  // namespace semantics
