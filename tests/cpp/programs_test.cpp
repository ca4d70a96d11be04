// The examples, as built by every compiler that is here, run as their reader would run them. The
// domain is a directory with the sockets of the services; each service gets its socket the way
// socket units hand them over.

#include "base/fd.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

namespace {

using openxpc::base::fd;
using xpc_testing::child;
using xpc_testing::ending;

std::vector<std::string> compilers() {
  std::vector<std::string> names;
  std::istringstream list(OPENXPC_TEST_COMPILERS);
  for (std::string name; std::getline(list, name, ',');) names.push_back(name);
  return names;
}

fd listening_socket(const std::string& path) {
  fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path;
  EXPECT_EQ(::listen(socket.get(), 100), 0);
  return socket;
}

class CppPrograms : public testing::TestWithParam<std::string> {
 protected:
  CppPrograms() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    domain_ = std::string(runtime) + "/d";
    std::filesystem::create_directory(domain_);
    std::filesystem::permissions(domain_, std::filesystem::perms::owner_all);
    control_ = listening_socket(domain_ + "/.control");
  }

  std::string path_of(const std::string& program) const {
    return std::string(OPENXPC_TEST_PROGRAMS) + "/" + GetParam() + "/" + program;
  }
  /// Starts a service; its name is org.example.PROGRAM.
  void serve(const std::string& program) {
    std::string name = "org.example." + program;
    sockets_[program] = listening_socket(domain_ + "/" + name);
    xpc_testing::child_options how;
    how.arguments = {"-c", "LISTEN_PID=$$ exec \"$0\"", path_of(program)};
    how.environment = {"LISTEN_FDS=1", "LISTEN_FDNAMES=" + name, "OPENXPC_DOMAIN=" + domain_};
    how.borrowed_fds = {sockets_[program].get()};
    services_.emplace(program, child::program("/bin/sh", how));
  }
  /// Ends a service as a service manager would.
  void end(const std::string& program) {
    child& service = services_.at(program);
    service.kill(SIGTERM);
    EXPECT_EQ(service.wait(), (ending{.status = 0})) << program;
    services_.erase(program);
  }
  xpc_testing::child_options here(std::vector<std::string> arguments = {}) const {
    xpc_testing::child_options how;
    how.arguments = std::move(arguments);
    how.environment = {"OPENXPC_DOMAIN=" + domain_};
    return how;
  }
  /// Runs a program to its end and gives what it printed.
  std::string output_of(const std::string& program, std::vector<std::string> arguments = {}) {
    auto ran = xpc_testing::run(path_of(program), here(std::move(arguments)));
    EXPECT_EQ(ran.end, (ending{.status = 0})) << program << ": " << ran.error;
    return ran.output;
  }

  std::string domain_;
  fd control_;
  std::map<std::string, fd> sockets_;
  std::map<std::string, child> services_;
};

}  // namespace

TEST_P(CppPrograms, Echo) {
  serve("echo");
  EXPECT_EQ(output_of("client"), "hello\n");
  EXPECT_EQ(output_of("client", {"again"}), "again\n");
  end("echo");
}

TEST_P(CppPrograms, ClientSaysWhatIsMissingAndWhatToDo) {
  auto ran = xpc_testing::run(path_of("client"), here());
  EXPECT_EQ(ran.end, (ending{.status = 69}));
  EXPECT_NE(ran.error.find("there is no service org.example.echo"), std::string::npos) << ran.error;
  EXPECT_NE(ran.error.find("xpcctl bootstrap"), std::string::npos) << ran.error;
}

TEST_P(CppPrograms, Coroutines) {
  serve("prices");
  EXPECT_EQ(output_of("coroutines").substr(0, 5), "3.75\n");
  if (std::filesystem::exists(path_of("coroutines_asio"))) {
    EXPECT_EQ(output_of("coroutines_asio"), "2.5\n1.25\n");
  }
  end("prices");
}

TEST_P(CppPrograms, Streams) {
  serve("board");
  EXPECT_EQ(output_of("stream", {"one", "two", "three"}), "0 one\n1 two\n2 three\n");
  end("board");
  serve("counter");
  EXPECT_EQ(output_of("count"), "5000050000\n");
  end("counter");
}

TEST_P(CppPrograms, TestInOneProcess) { EXPECT_EQ(output_of("test_in_one_process"), ""); }

TEST_P(CppPrograms, Lobby) {
  serve("lobby");
  auto ann = child::program(path_of("lobby_ann"), here());
  ann.expect_line("ready");
  EXPECT_EQ(output_of("lobby_bob"), "e4\n");
  ann.kill(SIGTERM);
  EXPECT_EQ(ann.wait(), (ending{.status = 0}));
  end("lobby");
}

TEST_P(CppPrograms, Digest) {
  serve("digest");
  EXPECT_EQ(output_of("digest_client"), std::to_string(64 << 20) + "\n");
  end("digest");
}

TEST_P(CppPrograms, LiteralsMeanWhatTheyReadAs) { output_of("literals"); }

INSTANTIATE_TEST_SUITE_P(Compilers, CppPrograms, testing::ValuesIn(compilers()),
                         [](const auto& tested) {
                           std::string name;
                           for (char each : tested.param)
                             if (std::isalnum(static_cast<unsigned char>(each))) name += each;
                           return name + (tested.param == "g++" ? "xx" : "");
                         });
