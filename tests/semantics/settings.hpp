#pragma once

#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "made_block.hpp"
#include "system/manager.hpp"
#include "talk.hpp"
#include "told_service.hpp"

namespace semantics {

/// Where the service of a test runs, seen from the client, which is the test itself.
enum class setting {
  same_process,   ///< behind an anonymous listener of this process
  other_process,  ///< a process that was handed the name's listening socket, nobody watches it
  under_xpcd,     ///< launched by a service manager
};
std::string name_of(const testing::TestParamInfo<setting>& of);

/// A client connection and what it hears.
class client {
 public:
  /// @param owned  inactive.
  explicit client(xpc_connection_t owned, bool activate = true);
  /// The same with a handler of the test's own, which may put events into the box.
  client(xpc_connection_t owned, talk::handler told);
  /// Cancels and waits for the last event.
  ~client();
  client(const client&) = delete;

  operator xpc_connection_t() const { return connection_; }  // NOLINT: implicit on purpose
  void send(const owned& message) const { xpc_connection_send_message(connection_, message); }
  owned ask(const owned& message) const {
    return xpc_connection_send_message_with_reply_sync(connection_, message);
  }
  /// {op} or {op, n}.
  owned ask(const char* op, std::int64_t n = 0) const;
  void send(const char* op, std::int64_t n = 0) const;
  /// The answer goes to `replies`, which outlives it. @param queue  may be null.
  void ask_later(const owned& message, talk::handler& done, dispatch_queue_t queue = nullptr) const;
  /// n + 1 as the service says; -1 where an error came instead.
  std::int64_t add(std::int64_t n) const;
  void wait_until_invalid() { ended_.wait(); }
  /// For tests that replace its handler: the last event has come.
  void note_invalid() { ended_.set(); }

  talk::events box;

 private:
  void listen(talk::handler told);
  xpc_connection_t connection_;
  xpc_testing::event ended_;
};

/// Before a role first uses the library: takes over the listening socket that the test handed to
/// it, as if a service manager had. Does nothing where one has.
void adopt_socket(const xpc_testing::role_call& call);
/// Says "ready" and waits until the test, or the service manager, wants the role to end.
void serve_until_asked(const xpc_testing::role_call& call);

owned order(const char* op, std::int64_t n = 0);
std::vector<std::int64_t> notes_in(xpc_object_t reply);
std::string event_in(xpc_object_t message);

/// A rule about connections, in each setting.
class Connections : public testing::TestWithParam<setting> {
 protected:
  /// @param role  what serves the name where the service has a process of its own.
  explicit Connections(std::string role = "told_service");
  ~Connections() override;

  bool named() const { return GetParam() != setting::same_process; }
  /// Inactive, to the service of the setting.
  xpc_connection_t connection(dispatch_queue_t queue = nullptr) const;
  /// The other side of this client goes away: its process dies, or where that is the test's own the
  /// peer is cancelled. Named services can be reached again afterwards.
  void lose(const client& whom);
  /// The same for a service of which the test knows the process.
  void lose_process(pid_t pid);
  /// The name is there no more.
  void remove_name();
  /// The service ends by itself, with such a text; it is not started again.
  void expect_service_death(const std::string& text);
  /// Takes what a client hears then: INTERRUPTED, and where it cannot come back INVALID.
  void expect_loss(client& of);
  /// Waits at a watching client for that event; returns the peer it is about.
  static std::int64_t wait_for(client& watcher, const std::string& event);

  /// The directory in which the name is found.
  const std::string& domain() const { return domain_; }
  /// Options of a role that gets the listening socket of the name, where nobody else has it.
  xpc_testing::child_options with_socket() const;

  static constexpr const char* service_name = "org.example.told";
  /// How the service ends when it is asked to.
  xpc_testing::ending end_{0, 0};

 private:
  void start_other();
  const std::string role_, domain_;
  std::unique_ptr<told_service> here_;
  xpc_connection_t listener_ = nullptr;
  owned endpoint_;
  openxpc::base::fd control_, socket_;
  std::optional<xpc_testing::child> other_;
  std::optional<system_test::manager> manager_;
};

/// Rules about names: the service can be lost and come back.
class NamedConnections : public Connections {
 protected:
  using Connections::Connections;
};

/// The same with a service of the session API, whose listener is its role's (session_service.cpp).
class SessionServices : public NamedConnections {
 protected:
  SessionServices() : NamedConnections("session_service") {}
};

/// A service that xpc_main() runs (connection_observed_test.cpp).
class MainServices : public NamedConnections {
 protected:
  MainServices() : NamedConnections("main_service") { end_ = {-1, SIGTERM}; }
};

/// A domain with a name and its socket, and no service: the test starts roles of its own.
class HandedSockets : public Connections {
 protected:
  HandedSockets() : Connections("") {}
};

}  // namespace semantics
