#include "base/notify_socket.hpp"

#include "base/fd.hpp"
#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace openxpc::base {
namespace {

using namespace std::chrono_literals;

class NotifySocket : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  static fd bind(const std::string& path, bool is_abstract) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    if (is_abstract) address.sun_path[0] = 0;
    fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())),
              0);
    return socket;
  }
  static std::string read(const fd& socket) {
    char text[64];
    const ssize_t got = ::recv(socket.get(), text, sizeof text, MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(got));
  }
};

TEST_F(NotifySocket, TellsByPathAndByAbstractName) {
  const std::string path = xpc_testing::runtime_directory() + "/notify";
  const std::string name = "@" + path;
  for (const std::string& where : {path, name}) {
    const fd socket = bind(where, where.front() == '@');
    ::setenv("NOTIFY_SOCKET", where.c_str(), 1);
    const notify_socket told;
    ::unsetenv("NOTIFY_SOCKET");
    ASSERT_TRUE(told);
    told.tell("READY=1");
    EXPECT_EQ(read(socket), "READY=1");
    EXPECT_EQ(read(socket), "nothing");
  }
}

TEST_F(NotifySocket, WaitsForAManagerWhoseQueueIsFullButNotWithASignOfLife) {
  const std::string path = xpc_testing::runtime_directory() + "/notify";
  const fd socket = bind(path, false);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const notify_socket told;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const fd others(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  while (::sendto(others.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == 1) {
  }
  ASSERT_EQ(errno, EAGAIN);
  told.tell("WATCHDOG=1");
  std::atomic<bool> done{false};
  std::atomic<pid_t> teller{0};
  std::thread other([&] {
    teller = ::gettid();
    told.tell("STOPPING=1");
    done = true;
  });
  xpc_testing::wait_until("the word to wait", [&] {
    if (done) return true;
    std::ifstream stat("/proc/self/task/" + std::to_string(teller) + "/stat");
    std::string number, name, state;
    stat >> number >> name >> state;
    return state == "S";
  });
  EXPECT_FALSE(done);
  std::string last, word;
  for (bool all_told = false; !(all_told && word == "nothing");) {
    all_told = done;
    if ((word = read(socket)) != "nothing") last = word;
  }
  other.join();
  EXPECT_EQ(last, "STOPPING=1");
}

TEST_F(NotifySocket, IsSilentWhereNobodyAsks) {
  const notify_socket nobody;
  EXPECT_FALSE(nobody);
  nobody.tell("READY=1");
  for (const std::string& bad :
       {std::string("relative"), std::string("/"), std::string(200, '/')}) {
    ::setenv("NOTIFY_SOCKET", bad.c_str(), 1);
    EXPECT_FALSE(notify_socket()) << bad;
  }
  ::setenv("NOTIFY_SOCKET", "/nobody/listens/here", 1);
  notify_socket().tell("READY=1");
}

TEST_F(NotifySocket, KnowsHowOftenASignOfLifeIsWanted) {
  ::setenv("NOTIFY_SOCKET", "@x", 1);
  EXPECT_EQ(notify_socket().sign_of_life(), 0us);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(notify_socket().sign_of_life(), 1500ms);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(notify_socket().sign_of_life(), 1500ms);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(notify_socket().sign_of_life(), 0us) << "another process is meant";
  ::unsetenv("WATCHDOG_PID");
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(notify_socket().sign_of_life(), 0us);
}

}  // namespace
}  // namespace openxpc::base
