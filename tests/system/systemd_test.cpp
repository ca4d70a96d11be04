// Beside systemd: a service that one of its socket units starts, what it is told of, and xpcd as a
// unit itself.

#include "support/mailbox.hpp"
#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "system/manager.hpp"

namespace system_test {
namespace {

using xpc_testing::child;
using xpc_testing::run_result;

constexpr const char* activate = "/usr/bin/systemd-socket-activate";
constexpr const char* analyze = "/usr/bin/systemd-analyze";

std::string contents(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

/// The value of a key in a unit; the first where there are several.
std::string value_in(const std::string& unit, const std::string& key) {
  const std::size_t at = unit.find("\n" + key + "=");
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size() + 2;
  return unit.substr(from, unit.find('\n', from) - from);
}

/// The socket that NOTIFY_SOCKET names. It is read all the time, as systemd does: what finds it
/// full is lost.
class notified {
 public:
  explicit notified(std::string path) : path_(std::move(path)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    reader_ = std::thread([this] {
      char text[128];
      ssize_t got;
      while ((got = ::recv(socket_.get(), text, sizeof text, 0)) > 0)
        words_.put(std::string(text, static_cast<std::size_t>(got)));
    });
  }
  notified(const notified&) = delete;
  notified& operator=(const notified&) = delete;
  ~notified() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    reader_.join();
  }
  std::string variable() const { return "NOTIFY_SOCKET=" + path_; }
  std::string read() const { return words_.take(); }
  /// The next word that is no sign of life.
  std::string read_word() const {
    std::string word;
    while ((word = read()) == "WATCHDOG=1") {
    }
    return word;
  }

 private:
  std::string path_;
  openxpc::base::fd socket_;
  mutable xpc_testing::mailbox<std::string> words_;
  std::thread reader_;
};

/// A service answers as soon as it listens, and waits for its end after that: SIGTERM is a question
/// once it is caught.
void wait_until_asked_to_end(pid_t pid) {
  xpc_testing::wait_until("the service to wait for its end", [&] {
    const std::string status = contents("/proc/" + std::to_string(pid) + "/status");
    const std::size_t at = status.find("\nSigCgt:\t");
    if (at == std::string::npos) return false;
    const unsigned long long caught = std::stoull(status.substr(at + 9, 16), nullptr, 16);
    return (caught & (1ULL << (SIGTERM - 1))) != 0;
  });
}

class Systemd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(activate, X_OK) != 0 || ::access(analyze, X_OK) != 0) {
      GTEST_SKIP() << "there is no systemd";
    }
    ASSERT_EQ(::mkdir(domain.c_str(), 0700), 0);
  }
  /// Units of a job, by name.
  std::map<std::string, std::string> exported(const std::string& description) {
    const std::string directory = root + "/units";
    std::filesystem::create_directory(directory);
    std::ofstream(root + "/job.plist") << description;
    run_result said = xpc_testing::run(
        xpc_testing::xpcctl_program,
        {.arguments = {"systemd-export", "--user", "--output", directory, root + "/job.plist"},
         .keep_stderr = true});
    EXPECT_EQ(said.end.status, 0);
    EXPECT_EQ(said.error, "");
    std::map<std::string, std::string> units;
    for (const auto& one : std::filesystem::directory_iterator(directory)) {
      units[one.path().filename()] = contents(one.path());
    }
    return units;
  }
  /// What a unit says, with the specifier that stands for the directory of this user's run time.
  std::string path_in(const std::string& unit, const std::string& key) {
    std::string path = value_in(unit, key);
    EXPECT_EQ(path.compare(0, 3, "%t/"), 0) << path;
    return root + path.substr(2);
  }
  /// systemd's own stand-in for a socket unit: listens, and becomes the program with the first
  /// client.
  child activated(const std::string& path, const std::string& name,
                  const std::vector<std::string>& variables, std::vector<std::string> command) {
    std::vector<std::string> arguments{"--seqpacket", "--listen=" + path, "--fdname=" + name};
    for (const std::string& one : variables) arguments.push_back("--setenv=" + one);
    arguments.insert(arguments.end(), command.begin(), command.end());
    child started = child::program(activate, {.arguments = arguments, .keep_stderr = true});
    // The file is there before anybody listens.
    xpc_testing::wait_until("it to listen", [&] {
      return started.error_text().find("Listening on " + path) != std::string::npos;
    });
    return started;
  }
  session open(const std::string& name) {
    openxpc_conversation_options_s options{};
    options.size = sizeof options;
    options.domain_directory = domain.c_str();
    xpc_rich_error_t error = nullptr;
    session client(::openxpc_session_open(name.c_str(), &options, &error));
    EXPECT_TRUE(client) << (error ? ::openxpc_error_get_message(error) : "");
    if (error != nullptr) ::xpc_release(error);
    return client;
  }
  /// The words of a simple ExecStart=.
  static std::vector<std::string> command_of(const std::string& unit) {
    std::stringstream words(value_in(unit, "ExecStart"));
    std::vector<std::string> all;
    for (std::string word; words >> word;) all.push_back(word);
    EXPECT_EQ(all.front().compare(0, 1, ":"), 0);
    all.front().erase(0, 1);
    return all;
  }

  const std::string root = xpc_testing::runtime_directory();
  const std::string domain = root + "/xpc";
};

TEST_F(Systemd, AServiceIsStartedFromItsExportedUnitsAndServesARealClient) {
  const std::string name = "org.example.echo";
  auto units = exported(plist("echo", role("echo", {name}), {name}));
  const std::string socket = units["echo.socket"], service = units["echo.service"];
  EXPECT_EQ(value_in(service, "Sockets"), "echo.socket");
  EXPECT_EQ(value_in(service, "Type"), "notify");
  const notified systemd(root + "/notify");
  child started =
      activated(path_in(socket, "ListenSequentialPacket"), value_in(socket, "FileDescriptorName"),
                {systemd.variable(), "XDG_RUNTIME_DIR=" + root,
                 "WATCHDOG_USEC=" + value_in(service, "WatchdogSec") + "000000"},
                command_of(service));
  session client = open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message << started.error_text();
  EXPECT_EQ(number_at(reply.reply, "pid"), started.pid());
  EXPECT_EQ(systemd.read(), "READY=1");
  EXPECT_EQ(systemd.read(), "WATCHDOG=1");
  wait_until_asked_to_end(started.pid());
  started.kill(SIGTERM);
  EXPECT_EQ(started.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(Systemd, SignsOfLifeGoOnAsOftenAsTheUnitAsks) {
  const std::string name = "org.example.echo";
  const notified systemd(root + "/notify");
  child started = activated(domain + "/" + name, name, {systemd.variable(), "WATCHDOG_USEC=20000"},
                            role("echo", {name}));
  session client = open(name);
  ASSERT_TRUE(client.call("hello"));
  EXPECT_EQ(systemd.read(), "READY=1");
  for (int count = 0; count < 5; ++count) EXPECT_EQ(systemd.read(), "WATCHDOG=1");
  started.kill(SIGKILL);
}

TEST_F(Systemd, NothingIsToldWhereNobodyAsks) {
  const std::string name = "org.example.echo";
  child started =
      activated(domain + "/" + name, name, {"WATCHDOG_USEC=20000"}, role("echo", {name}));
  session client = open(name);
  EXPECT_TRUE(client.call("hello"));
  wait_until_asked_to_end(started.pid());
  started.kill(SIGTERM);
  EXPECT_EQ(started.wait(), xpc_testing::ending{.status = 0});
}

TEST_F(Systemd, AnEntryOfSocketsArrivesUnderItsName) {
  const std::string name = "org.example.echo";
  auto units = exported(plist("both", role("echo", {name}), {name},
                              "<key>Sockets</key><dict><key>extra</key><dict><key>SockPathName"
                              "</key><string>" +
                                  root + "/extra</string></dict></dict>"));
  EXPECT_EQ(value_in(units["both.service"], "Sockets"),
            "both@org.example.echo.socket both@Sockets@extra.socket");
  EXPECT_EQ(value_in(units["both@Sockets@extra.socket"], "FileDescriptorName"), "extra");
  EXPECT_EQ(value_in(units["both@Sockets@extra.socket"], "Service"), "both.service");
}

TEST_F(Systemd, XpcdServesTheControlSocketOfItsUnitAndLeavesItBehind) {
  const notified systemd(root + "/notify");
  child xpcd =
      activated(domain + "/.control", "control", {systemd.variable(), "WATCHDOG_USEC=20000"},
                {xpc_testing::xpcd_program, "--domain", domain});
  struct stat before{}, after{};
  ASSERT_EQ(::stat((domain + "/.control").c_str(), &before), 0);
  object_ref order = dictionary();
  set(order, "op", "list");
  answer said = ask_control(domain, order);
  ASSERT_TRUE(said) << said.message << xpcd.error_text();
  EXPECT_EQ(systemd.read(), "READY=1");
  for (int count = 0; count < 3; ++count) EXPECT_EQ(systemd.read(), "WATCHDOG=1");
  EXPECT_EQ(std::stoi(contents(domain + "/.lock")), xpcd.pid());
  xpcd.kill(SIGTERM);
  EXPECT_EQ(systemd.read_word(), "STOPPING=1");
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
  // The unit owns the file, and starts the next xpcd through it.
  ASSERT_EQ(::stat((domain + "/.control").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(Systemd, AnUpgradeOfXpcdIsAReloadOfItsUnitWithTheSameSocketAndProcess) {
  const notified systemd(root + "/notify");
  child xpcd =
      activated(domain + "/.control", "control", {systemd.variable(), "WATCHDOG_USEC=20000"},
                {xpc_testing::xpcd_program, "--domain", domain});
  struct stat before{}, after{};
  ASSERT_EQ(::stat((domain + "/.control").c_str(), &before), 0);
  auto upgrade = [&] {
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = {"--domain", domain, "upgrade", "--manager", "--force"},
                             .keep_stderr = true});
  };
  // The first word also starts it.
  run_result said = upgrade();
  ASSERT_EQ(said.end.status, 0) << said.error << xpcd.error_text();
  EXPECT_EQ(systemd.read_word(), "READY=1");
  EXPECT_EQ(systemd.read_word().compare(0, 27, "RELOADING=1\nMONOTONIC_USEC="), 0);
  EXPECT_EQ(systemd.read_word(), "READY=1");
  for (int count = 0; count < 3; ++count) EXPECT_EQ(systemd.read(), "WATCHDOG=1");
  EXPECT_EQ(std::stoi(contents(domain + "/.lock")), xpcd.pid());
  ASSERT_EQ(::stat((domain + "/.control").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  xpcd.kill(SIGTERM);
  EXPECT_EQ(systemd.read_word(), "STOPPING=1");
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
  ASSERT_EQ(::stat((domain + "/.control").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "the unit owns the file";
}

TEST_F(Systemd, ASocketThatIsNotTheControlSocketIsNamedAndNotServed) {
  child xpcd =
      activated(root + "/other", "control", {}, {xpc_testing::xpcd_program, "--domain", domain});
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, (root + "/other").c_str(), root.size() + 7);
  openxpc::base::fd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  xpc_testing::wait_until("xpcd to serve",
                          [&] { return ::access((domain + "/.control").c_str(), F_OK) == 0; });
  EXPECT_NE(
      xpcd.error_text().find("xpcd: the socket control is not that of " + domain + "/.control"),
      std::string::npos)
      << xpcd.error_text();
  xpcd.kill(SIGTERM);
  EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
  EXPECT_NE(::access((domain + "/.control").c_str(), F_OK), 0) << "its own it removes";
}

TEST_F(Systemd, TheUnitsOfXpcdPleaseSystemd) {
  // The programs and pages that they name need to be somewhere: only words are judged here.
  for (const std::string manager : {"system", "user"}) {
    const std::string directory = root + "/" + manager;
    std::filesystem::create_directory(directory);
    for (const char* unit : {"xpcd.service", "xpcd.socket"}) {
      std::string text =
          contents(std::string(xpc_testing::units_folder) + "/" + manager + "/" + unit);
      ASSERT_FALSE(text.empty()) << unit;
      const std::size_t program = text.find("ExecStart=");
      if (program != std::string::npos) {
        const std::size_t end = text.find("/xpcd", program);
        text.replace(program, end + 5 - program,
                     std::string("ExecStart=") + xpc_testing::xpcd_program);
      }
      const std::size_t page = text.find("Documentation=");
      text.erase(page, text.find('\n', page) - page + 1);
      std::ofstream(directory + "/" + unit) << text;
    }
    const std::string service = contents(directory + "/xpcd.service");
    EXPECT_EQ(value_in(service, "KillMode"), "process");
    EXPECT_EQ(value_in(service, "Delegate"), "yes");
    EXPECT_EQ(value_in(service, "Requires"), "xpcd.socket");
    run_result said = xpc_testing::run(
        analyze, {.arguments = {"--" + manager, "verify", directory + "/xpcd.service",
                                directory + "/xpcd.socket"},
                  .environment = {"SYSTEMD_LOG_LEVEL=info"},
                  .keep_stderr = true});
    EXPECT_EQ(said.error, "") << manager;
    EXPECT_EQ(said.end.status, 0) << manager;
  }
}

TEST(XpcdLog, LinesHaveAWeightWhereTheyGoToTheJournal) {
  const std::string root = xpc_testing::runtime_directory();
  std::ofstream(root + "/journal") << "";
  std::ofstream(root + "/log") << "";
  struct stat status{};
  auto lines_in = [&](const std::string& file, const std::string& stream) {
    EXPECT_EQ(::stat((root + "/" + file).c_str(), &status), 0);
    child xpcd = child::program(
        xpc_testing::xpcd_program,
        {.arguments = {"--domain", root + "/domain", "--ready-fd", "1", "--log", root + "/" + file},
         .environment = {"JOURNAL_STREAM=" + stream}});
    EXPECT_EQ(xpcd.read_line(), "ready");
    object_ref order = dictionary();
    set(order, "op", "bootstrap");
    set(order, "origin", "j");
    const std::string text = plist("job", {"/bin/true"});
    ::xpc_dictionary_set_data(order.get(), "plist", text.data(), text.size());
    EXPECT_TRUE(ask_control(root + "/domain", order));
    xpcd.kill(SIGTERM);
    EXPECT_EQ(xpcd.wait(), xpc_testing::ending{.status = 0});
    return contents(root + "/" + file);
  };
  ASSERT_EQ(::stat((root + "/journal").c_str(), &status), 0);
  const std::string journal = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_EQ(lines_in("journal", journal), "<6>xpcd: job: removed\n");
  EXPECT_EQ(lines_in("log", journal), "xpcd: job: removed\n") << "another file is no journal";
}

}  // namespace
}  // namespace system_test
