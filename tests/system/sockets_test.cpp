// Sockets: xpcd listens, the first client starts the job, the job fetches the descriptors.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <launch.h>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "system/manager.hpp"

using openxpc::base::fd;

namespace {

/// Answers one client, or one datagram, with the word and the entry's name.
int answer_one(const char* entry, bool datagram) {
  int* fds = nullptr;
  std::size_t count = 0;
  if (int error = ::launch_activate_socket(entry, &fds, &count)) return error;
  if (count != 1) return 100;
  const fd listener(fds[0]);
  std::free(fds);
  char word[64] = {};
  if (datagram) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(listener.get(), word, sizeof word, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return 101;
    return ::sendto(listener.get(), word, static_cast<std::size_t>(got), 0,
                    reinterpret_cast<sockaddr*>(&from), size) == got
               ? 0
               : 102;
  }
  const fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const ssize_t got = client ? ::read(client.get(), word, sizeof word) : -1;
  if (got <= 0) return 103;
  return ::write(client.get(), word, static_cast<std::size_t>(got)) == got ? 0 : 104;
}

/// Answers whoever connects to one of the descriptors, for ever.
[[noreturn]] void answer_all(const std::vector<int>& descriptors) {
  std::vector<pollfd> listeners;
  for (const int number : descriptors) listeners.push_back({number, POLLIN, 0});
  for (;;) {
    if (::poll(listeners.data(), listeners.size(), -1) < 0) continue;
    for (const pollfd& one : listeners) {
      const fd client(one.revents ? ::accept4(one.fd, nullptr, nullptr, SOCK_CLOEXEC) : -1);
      char word[64];
      const ssize_t got = client ? ::read(client.get(), word, sizeof word) : -1;
      if (got > 0) (void)!::write(client.get(), word, static_cast<std::size_t>(got));
    }
  }
}

}  // namespace

/// echo_until_told ENTRY...: answers clients of both kinds of entries until it is ended.
XPC_TEST_ROLE(echo_until_told) {
  std::vector<int> all;
  for (const std::string& entry : call.arguments) {
    int* fds = nullptr;
    std::size_t count = 0;
    if (int error = ::launch_activate_socket(entry.c_str(), &fds, &count)) return error;
    all.insert(all.end(), fds, fds + count);
    std::free(fds);
  }
  answer_all(all);
}

/// keeps_listening NUMBER...: knows nothing of libxpc, answers clients at those descriptors.
XPC_TEST_ROLE(keeps_listening) {
  std::vector<int> all;
  for (const std::string& number : call.arguments) all.push_back(std::atoi(number.c_str()));
  answer_all(all);
}

/// leaves_to_a_child FILE: at its first start a child gets the sockets, whose number goes into the
/// file, and it has none itself; later it answers one client.
XPC_TEST_ROLE(leaves_to_a_child) {
  const std::string& file = call.arguments.at(0);
  if (::access(file.c_str(), F_OK) == 0) {
    const fd client(::accept4(3, nullptr, nullptr, SOCK_CLOEXEC));
    char word[64];
    const ssize_t got = client ? ::read(client.get(), word, sizeof word) : -1;
    return got > 0 && ::write(client.get(), word, static_cast<std::size_t>(got)) == got ? 0 : 1;
  }
  const pid_t child = ::fork();
  if (child != 0) {
    ::close(3);
    std::ofstream(file + ".new") << child;
    ::rename((file + ".new").c_str(), file.c_str());
  }
  for (;;) ::pause();
}

/// echo_once ENTRY [dgram]
XPC_TEST_ROLE(echo_once) {
  return answer_one(call.arguments.at(0).c_str(), call.arguments.size() > 1);
}

namespace system_test {
namespace {

class Sockets : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};

  answer load(const std::string& label, const std::string& entry,
              const std::vector<std::string>& arguments = {"it"}) {
    return xpcd.bootstrap(
        plist(label, role("echo_once", arguments), {},
              "<key>Sockets</key><dict><key>it</key><dict>" + entry + "</dict></dict>"));
  }
  static std::string text(const char* key, const std::string& value) {
    return "<key>" + std::string(key) + "</key><string>" + value + "</string>";
  }
  std::string address(const std::string& label) {
    const object_ref job = xpcd.print(label);
    xpc_object_t all = ::xpc_dictionary_get_value(job.get(), "sockets");
    object_ref first(all ? ::xpc_retain(::xpc_array_get_value(all, 0)) : nullptr);
    return first ? text_at(first, "address") : "no socket";
  }
  static sockaddr_in local(const std::string& address) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    return result;
  }
  /// Says "tea" and returns what comes back.
  template <class Address>
  static std::string talk(const Address& to, int type) {
    const fd client(
        ::socket(reinterpret_cast<const sockaddr*>(&to)->sa_family, type | SOCK_CLOEXEC, 0));
    const timeval patience{30, 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      return std::strerror(errno);
    }
    if (::send(client.get(), "tea", 3, MSG_NOSIGNAL) != 3) return std::strerror(errno);
    char word[64];
    const ssize_t got = ::recv(client.get(), word, sizeof word, 0);
    return got < 0 ? std::strerror(errno) : std::string(word, static_cast<std::size_t>(got));
  }
  static sockaddr_un path_address(const std::string& path) {
    sockaddr_un result{};
    result.sun_family = AF_UNIX;
    std::snprintf(result.sun_path, sizeof result.sun_path, "%s", path.c_str());
    return result;
  }
};

const std::string tcp =
    "<key>SockFamily</key><string>IPv4</string><key>SockNodeName</key>"
    "<string>127.0.0.1</string><key>SockServiceName</key><integer>0</integer>";

TEST_F(Sockets, R247_TheFirstTcpClientStartsTheJob) {
  answer loaded = load("tcp", tcp);
  ASSERT_TRUE(loaded) << loaded.message;
  EXPECT_EQ(number_at(xpcd.print("tcp"), "starts"), 0);
  // Once and again: xpcd listens on when the job has ended.
  const std::string where = address("tcp");
  for (int round = 1; round <= 2; ++round) {
    EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea") << xpcd.log();
    object_ref job = xpcd.wait_for_state("tcp", "waiting");
    EXPECT_EQ(number_at(job, "starts"), round);
    EXPECT_EQ(number_at(job, "last-exit/status"), 0);
  }
}

TEST_F(Sockets, ADatagramStartsTheJob) {
  ASSERT_TRUE(load("udp", tcp + text("SockType", "dgram"), {"it", "dgram"}));
  EXPECT_EQ(talk(local(address("udp")), SOCK_DGRAM), "tea") << xpcd.log();
}

TEST_F(Sockets, APathStartsTheJobAndHasItsMode) {
  const std::string path = root + "/socket";
  ASSERT_TRUE(
      load("path", text("SockPathName", path) + "<key>SockPathMode</key><integer>384</integer>"));
  struct stat file;
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600u);
  EXPECT_EQ(address("path"), path);
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), "tea") << xpcd.log();
  ASSERT_TRUE(xpcd.verb("bootout", "path"));
  EXPECT_LT(::stat(path.c_str(), &file), 0) << "removed with the job";
}

TEST_F(Sockets, APathMayBeForWholePackets) {
  const std::string path = root + "/packets";
  ASSERT_TRUE(load("packets", text("SockPathName", path) + text("SockType", "seqpacket")));
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), std::strerror(EPROTOTYPE));
  EXPECT_EQ(number_at(xpcd.print("packets"), "starts"), 0);
  EXPECT_EQ(talk(path_address(path), SOCK_SEQPACKET), "tea") << xpcd.log();
}

TEST_F(Sockets, WhatCannotBeBoundLoadsNothing) {
  ASSERT_TRUE(load("first", tcp));
  const std::string port = address("first").substr(address("first").rfind(':') + 1);
  std::string taken = tcp;
  taken.replace(taken.find("<integer>0"), 10, "<integer>" + port);
  answer refused = load("second", taken);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.message, "second: Sockets it 127.0.0.1:" + port + ": Address already in use");
  EXPECT_FALSE(xpcd.verb("print", "second"));
  // A file that is no socket is nobody's to remove.
  std::ofstream(root + "/precious") << "x";
  refused = load("third", text("SockPathName", root + "/precious"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.message.find(root + "/precious: File exists"), std::string::npos);
  EXPECT_NE(load("fourth", text("SockPathName", root + "/no/such/socket"))
                .message.find(root + "/no/such"),
            std::string::npos);
}

TEST_F(Sockets, AnEntryThatIsNotTheJobsOwnIsENOENT) {
  ASSERT_TRUE(load("other", tcp, {"another"}));
  ASSERT_TRUE(xpcd.verb("kickstart", "other"));
  object_ref job;
  xpc_testing::wait_until("it to end", [&] {
    job = xpcd.print("other");
    return has(job, "last-exit");
  });
  EXPECT_EQ(number_at(job, "last-exit/status"), ENOENT);
}

TEST_F(Sockets, ForeignProgramsSeeTheirNamesAsTheyAreWritten) {
  const std::string out = root + "/out";
  ASSERT_TRUE(xpcd.bootstrap(
      plist("foreign",
            {"/bin/sh", "-c", "echo $LISTEN_FDS $LISTEN_FDNAMES >" + out + "; exec sleep 1000"},
            {"org.example.name"},
            "<key>Sockets</key><dict><key>web</key><dict>" + tcp + "</dict><key>log</key><dict>" +
                tcp + "</dict></dict>")));
  ASSERT_TRUE(xpcd.verb("kickstart", "foreign"));
  std::string line;
  xpc_testing::wait_until("it to print", [&] {
    std::getline(std::ifstream(out), line);
    return !line.empty();
  });
  EXPECT_EQ(line, "3 org.example.name:log:web");
}

TEST_F(Sockets, ARunningJobHandsThemBackToANewServiceManager) {
  const std::string path = root + "/socket";
  answer loaded = xpcd.bootstrap(plist("job", role("echo_until_told", {"net", "path"}), {},
                                       "<key>ThrottleInterval</key><integer>0</integer>"
                                       "<key>Sockets</key><dict><key>net</key><dict>" +
                                           tcp + "</dict><key>path</key><dict>" +
                                           text("SockPathName", path) + "</dict></dict>"));
  ASSERT_TRUE(loaded) << loaded.message;
  const std::string where = address("job");
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea") << xpcd.log();
  struct stat before, after;
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  const auto checked_in = [&] {
    return ::xpc_dictionary_get_bool(xpcd.print("job").get(), "checked-in");
  };
  xpc_testing::wait_until("it to check in", checked_in);
  const std::int64_t pid = number_at(xpcd.print("job"), "pid");
  xpcd.replace();
  xpc_testing::wait_until("the sockets to be back", [&] { return address("job") == where; });
  EXPECT_EQ(number_at(xpcd.print("job"), "pid"), pid);
  // The job ends: the same sockets start it again.
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), "tea");
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
  wait_until_gone(static_cast<pid_t>(pid));
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), "tea") << xpcd.log();
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea");
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_NE(number_at(xpcd.print("job"), "pid"), pid);
}

/// Whether the kernel lets a service manager that is not its parent take a process's descriptors.
bool may_fetch() {
  int scope = 0;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  return ::geteuid() == 0 ? scope < 3 : scope == 0;
}

TEST_F(Sockets, ANewServiceManagerFetchesThemFromAForeignProgram) {
  if (!may_fetch()) GTEST_SKIP() << "NOT SHOWN: the kernel restricts tracing";
  const std::string path = root + "/socket";
  ASSERT_TRUE(xpcd.bootstrap(plist("job", role("keeps_listening", {"3", "4"}), {},
                                   "<key>ThrottleInterval</key><integer>0</integer>"
                                   "<key>Sockets</key><dict><key>net</key><dict>" +
                                       tcp + "</dict><key>path</key><dict>" +
                                       text("SockPathName", path) + "</dict></dict>")));
  const std::string where = address("job");
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea") << xpcd.log();
  struct stat before, after;
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  const std::int64_t pid = number_at(xpcd.print("job"), "pid");
  xpcd.replace();
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea") << "it goes on by itself";
  xpc_testing::wait_until("the sockets to be back", [&] { return address("job") == where; });
  EXPECT_EQ(number_at(xpcd.print("job"), "pid"), pid);
  // Nothing is lost when it ends: the same sockets start it again.
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), "tea") << xpcd.log();
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea");
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

class LeftSockets : public Sockets {
 protected:
  /// A job whose first process left its socket to a child, and an xpcd that does not have it. The
  /// process has ended.
  void leave(const std::string& entry) {
    answer loaded = xpcd.bootstrap(
        plist("job", role("leaves_to_a_child", {file}), {},
              "<key>ThrottleInterval</key><integer>0</integer><key>AbandonProcessGroup</key><true/>"
              "<key>Sockets</key><dict><key>it</key><dict>" +
                  entry + "</dict></dict>"));
    ASSERT_TRUE(loaded) << loaded.message;
    where = address("job");
    ASSERT_TRUE(xpcd.verb("kickstart", "job"));
    xpc_testing::wait_until("the child to have it", [&] {
      std::ifstream(file) >> child;
      return child > 0;
    });
    const std::int64_t pid = number_at(xpcd.print("job"), "pid");
    xpcd.replace();
    wait_for_line("its process does not have all its sockets of Sockets; bound anew when it ends");
    ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
    wait_until_gone(static_cast<pid_t>(pid));
  }
  void TearDown() override {
    if (child > 0) ::kill(child, SIGKILL);
  }
  void wait_for_line(const std::string& line) {
    xpc_testing::wait_until("xpcd to say: " + line,
                            [&] { return xpcd.log().find(line) != std::string::npos; });
  }
  const std::string file = root + "/child";
  std::string where;
  pid_t child = 0;
};

TEST_F(LeftSockets, APortIsNotTakenFromWhoeverHasItButBoundWhenHeLetsGo) {
  if (!may_fetch()) GTEST_SKIP() << "NOT SHOWN: the kernel restricts tracing";
  leave(tcp);
  // With a port of the system's choice nobody is in the way: another one comes.
  xpc_testing::wait_until("it to listen", [&] { return address("job") != "no socket"; });
  EXPECT_EQ(talk(local(address("job")), SOCK_STREAM), "tea") << xpcd.log();
  // With one of the job's own choice the child is.
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  wait_until_gone(child);
  ASSERT_EQ(::unlink(file.c_str()), 0);
  child = 0;
  std::string fixed = tcp;
  fixed.replace(fixed.find("<integer>0"), 10, "<integer>" + where.substr(where.rfind(':') + 1));
  leave(fixed);
  wait_for_line(where + ": Address already in use; tried again every second");
  EXPECT_EQ(address("job"), "no socket");
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  wait_for_line("listens at its sockets again");
  EXPECT_EQ(address("job"), where);
  EXPECT_EQ(talk(local(where), SOCK_STREAM), "tea") << xpcd.log();
}

TEST_F(LeftSockets, APathOfTheJobIsBoundAnewAtOnce) {
  if (!may_fetch()) GTEST_SKIP() << "NOT SHOWN: the kernel restricts tracing";
  leave(text("SockPathName", root + "/socket"));
  xpc_testing::wait_until("it to listen", [&] { return address("job") != "no socket"; });
  EXPECT_EQ(talk(path_address(root + "/socket"), SOCK_STREAM), "tea") << xpcd.log();
  EXPECT_TRUE(is_alive(child)) << "nobody connects to it any more";
}

TEST_F(Sockets, APathThatSomebodyElseListensAtIsLeftToHim) {
  const std::string path = root + "/taken";
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    fd other(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const sockaddr_un where = path_address(path);
    ASSERT_EQ(::bind(other.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    if (type != SOCK_DGRAM) {
      ASSERT_EQ(::listen(other.get(), 1), 0);
    }
    answer refused = load("path", text("SockPathName", path));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.message, "path: Sockets it " + path + ": Address already in use");
    pollfd look{other.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&look, 1, 0), 0) << "nobody knocked";
    EXPECT_EQ(talk(where, type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM),
              std::strerror(EPROTOTYPE))
        << "it is there still";
    other.reset();
    ASSERT_TRUE(load("path", text("SockPathName", path))) << "only the file was left";
    ASSERT_TRUE(xpcd.verb("bootout", "path"));
  }
}

TEST_F(Sockets, ANewServiceManagerListensAgain) {
  const std::string path = root + "/socket";
  ASSERT_TRUE(load("path", text("SockPathName", path)));
  xpcd.replace();
  EXPECT_EQ(talk(path_address(path), SOCK_STREAM), "tea") << xpcd.log();
}

}  // namespace
}  // namespace system_test
