// Hostile clients of the control interface: other users, confined processes, nonsense, too much.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

#include "system/manager.hpp"

using namespace system_test;
using openxpc::base::fd;

namespace {

constexpr uid_t nobody = 65534;

std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    ++count;
  return count;
}

/// What only the owner may, as the table of verbs says: a new row is part of the test.
std::vector<std::string> verbs_of_the_owner() {
  std::stringstream all;
  all << std::ifstream(std::string(xpc_testing::source_folder) + "/xpcd/control/verbs.cpp").rdbuf();
  const std::string text = all.str();
  const std::regex row(R"x(\{"([a-z-]+)", true,)x");
  std::vector<std::string> verbs;
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at)
    verbs.push_back((*at)[1]);
  return verbs;
}

bool write_file(const char* path, const std::string& text) {
  fd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// A namespace of its own; where only root may make one, with a user namespace around it.
bool leave_namespace(int kind) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  const bool own_users = (kind & CLONE_NEWUSER) != 0 || user != 0;
  if (::unshare(kind | (own_users ? CLONE_NEWUSER : 0)) != 0) return false;
  if (!own_users) return true;
  const auto map = [](unsigned long id) {
    return std::to_string(id) + " " + std::to_string(id) + " 1\n";
  };
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", map(user)) &&
         write_file("/proc/self/gid_map", map(group));
}

bool confine_by_seccomp() {
  sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{1, allow};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

}  // namespace

/// asks DIRECTORY HOW OP...: confined in that way, or as somebody else, asks for each; says what it
/// was told, one line each.
XPC_TEST_ROLE(asks) {
  const std::string& how = call.arguments.at(1);
  bool done = true;
  if (how == "other-user") done = ::setgid(nobody) == 0 && ::setuid(nobody) == 0;
  if (how == "seccomp") done = confine_by_seccomp();
  if (how == "user") done = leave_namespace(CLONE_NEWUSER);
  if (how == "mnt") done = leave_namespace(CLONE_NEWNS);
  if (how == "net") done = leave_namespace(CLONE_NEWNET);
  if (how == "pid") done = leave_namespace(CLONE_NEWPID);
  if (!done) {
    xpc_testing::say("cannot: " + std::string(std::strerror(errno)));
    return 0;
  }
  if (how == "pid") {
    // Only children are in it.
    const pid_t child = ::fork();
    if (child != 0) {
      int status = 0;
      ::waitpid(child, &status, 0);
      ::_exit(status == 0 ? 0 : 1);  // the leak check would start its thread in there
    }
  }
  for (std::size_t i = 2; i < call.arguments.size(); ++i) {
    object_ref order = dictionary();
    set(order, "op", call.arguments[i]);
    for (const char* key : {"label", "name"}) set(order, key, "victim");
    set(order, "value", "stolen");
    set(order, "origin", "evil.plist");
    const std::string evil = plist("evil", {"/bin/true"}, {}, "<key>RunAtLoad</key><true/>");
    ::xpc_dictionary_set_data(order.get(), "plist", evil.data(), evil.size());
    answer got = ask_control(call.arguments.at(0), order);
    if (!got) {
      xpc_testing::say(got.message);
    } else {
      xpc_testing::say(has(got.reply, "job/environment") ? "done, with secrets" : "done");
    }
  }
  if (how == "pid") ::_exit(0);  // the first process of a namespace cannot be searched for leaks
  return 0;
}

namespace {

class Control : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::vector<std::string> ops = verbs_of_the_owner();

  static void load_victim(const manager& xpcd) {
    answer loaded = xpcd.bootstrap(
        plist("victim", {"/bin/sleep", "1000"}, {"org.example.victim"},
              "<key>EnvironmentVariables</key><dict><key>SECRET</key><string>1</string></dict>"));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  /// Nothing of what was asked for has happened, and the owner is served.
  static void expect_unchanged(const manager& xpcd) {
    object_ref job = xpcd.print("victim");
    EXPECT_EQ(text_at(job, "state"), "waiting");
    EXPECT_EQ(number_at(job, "starts"), 0);
    EXPECT_FALSE(xpcd.verb("print", "evil"));
    object_ref ask = dictionary();
    set(ask, "op", "getenv");
    set(ask, "name", "victim");
    answer variable = xpcd.ask(ask);
    ASSERT_TRUE(variable) << variable.message;
    EXPECT_FALSE(has(variable.reply, "value"));
  }
  xpc_testing::child asker(const manager& xpcd, const std::string& how) const {
    std::vector<std::string> arguments{xpcd.directory(), how};
    arguments.insert(arguments.end(), ops.begin(), ops.end());
    arguments.emplace_back("print");
    return xpc_testing::child::role("asks", {.arguments = arguments});
  }
};

TEST_F(Control, T56_EveryVerbOfTheOwnerIsRefusedToConfinedProcesses) {
  ASSERT_GE(ops.size(), 9u);
  manager xpcd(root + "/domain");
  load_victim(xpcd);
  const std::pair<const char*, const char*> all[] = {
      {"seccomp", "the process that asks is confined by seccomp"},
      {"user", "the process that asks is in another user namespace"},
      {"mnt", "the process that asks is in another "},
      {"net", "the process that asks is in another "},
      {"pid", "the process that asks is in another "}};
  for (const auto& [how, why] : all) {
    SCOPED_TRACE(how);
    xpc_testing::child one = asker(xpcd, how);
    std::optional<std::string> said = one.read_line();
    if (said && said->starts_with("cannot: ")) {
      std::printf("NOT SHOWN here: %s: %s\n", how, said->c_str());
      one.wait();
      continue;
    }
    for (const std::string& op : ops) {
      ASSERT_TRUE(said);
      EXPECT_EQ(said->find(op + ": " + why), 0u) << *said;
      said = one.read_line();
    }
    // What everybody of the domain may see it may see too.
    EXPECT_EQ(said, "done");
    EXPECT_EQ(one.wait().status, 0);
    expect_unchanged(xpcd);
  }
  const std::string log = xpcd.log();
  EXPECT_NE(log.find("refused: process "), std::string::npos) << log;
  EXPECT_NE(log.find(ops.front() + ": the process that asks is confined by seccomp"),
            std::string::npos)
      << log;
  // The honest case: the same verbs, asked for by a process that is as free as xpcd.
  EXPECT_TRUE(xpcd.verb("kickstart", "victim"));
  EXPECT_TRUE(xpcd.verb("bootout", "victim"));
}

TEST_F(Control, T56_EveryVerbOfTheOwnerIsRefusedToOtherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to be somebody else";
  ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
  manager xpcd(root + "/domain", {"--system"});
  answer loaded = xpcd.bootstrap(
      plist("victim", {"/bin/sleep", "1000"}, {},
            "<key>EnvironmentVariables</key><dict><key>SECRET</key><string>1</string></dict>"));
  ASSERT_TRUE(loaded) << loaded.message;
  xpc_testing::child one = asker(xpcd, "other-user");
  for (const std::string& op : ops)
    EXPECT_EQ(one.read_line(), op + ": only the owner of the domain may do that");
  EXPECT_EQ(one.read_line(), "done") << "without secrets";
  EXPECT_EQ(one.wait().status, 0);
  expect_unchanged(xpcd);
  EXPECT_NE(xpcd.log().find("of uid 65534: " + ops.front()), std::string::npos) << xpcd.log();
}

TEST_F(Control, NonsenseIsRefusedAndLoggedInBoundedSpace) {
  manager xpcd(root + "/domain");
  load_victim(xpcd);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 300; ++i) {
    answer refused = xpcd.verb("fly\nxpcd: all is well", "victim");
    ASSERT_EQ(refused.code, OPENXPC_ERROR_UNKNOWN_METHOD) << refused.message;
  }
  const auto tens =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin)
          .count() /
      10;
  const std::string log = xpcd.log();
  EXPECT_EQ(log.find("\nxpcd: all is well"), std::string::npos) << "a line of somebody else's";
  EXPECT_NE(log.find("no operation \"fly\\x0axpcd: all is well\" is known"), std::string::npos);
  EXPECT_LE(count_of(log, "refused: "), static_cast<std::size_t>(10 * (tens + 2)));
  // Wrong types, and lists that nobody can mean.
  object_ref number = dictionary();
  set(number, "op", std::int64_t{1});
  EXPECT_EQ(xpcd.ask(number).code, OPENXPC_ERROR_UNKNOWN_METHOD);
  object_ref list = dictionary();
  set(list, "op", "bootout");
  object_ref many(::xpc_array_create_empty());
  for (int i = 0; i < 100'000; ++i) ::xpc_array_set_string(many.get(), XPC_ARRAY_APPEND, "victim");
  ::xpc_dictionary_set_value(list.get(), "label", many.get());
  EXPECT_EQ(xpcd.ask(list).message, "bootout: label: expected string, found array");
  object_ref sockets = dictionary();
  set(sockets, "op", "check-in-again");
  object_ref names = dictionary();
  for (int i = 0; i < 20'000; ++i)
    ::xpc_dictionary_set_int64(names.get(), ("org." + std::to_string(i)).c_str(), i);
  ::xpc_dictionary_set_value(sockets.get(), "sockets", names.get());
  EXPECT_EQ(xpcd.ask(sockets).code, OPENXPC_ERROR_DENIED);
  const std::string large(15 << 20, '<'), larger(20 << 20, '<');
  EXPECT_EQ(xpcd.bootstrap(large).code, OPENXPC_ERROR_MALFORMED);
  EXPECT_EQ(xpcd.bootstrap(larger).code, OPENXPC_ERROR_TOO_LARGE);
  expect_unchanged(xpcd);
  EXPECT_TRUE(xpcd.verb("kickstart", "victim"));
}

}  // namespace

/// says_nothing SOCKET COUNT: connections to the control interface without a word; as somebody else
/// where we are root.
XPC_TEST_ROLE(says_nothing) {
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) return 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", call.arguments.at(0).c_str());
  std::vector<fd> all;
  for (int left = std::stoi(call.arguments.at(1)); left > 0; --left) {
    all.emplace_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!all.back() ||
        ::connect(all.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return 1;
    }
  }
  xpc_testing::say("connected");
  xpc_testing::hear();
  return 0;
}

namespace {

TEST_F(Control, T49_ThousandsOfHalfOpenConnectionsKeepTheOwnerFromNothing) {
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 12'000) GTEST_SKIP() << "NOT SHOWN: needs 12,000 descriptors";
  const bool is_root = ::geteuid() == 0;
  ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
  manager xpcd(root + "/domain",
               is_root ? std::vector<std::string>{"--system"} : std::vector<std::string>());
  ASSERT_TRUE(xpcd.bootstrap(plist("victim", {"/bin/true"})));
  const std::size_t before = xpc_testing::descriptor_count(xpcd.pid());
  // One user may have 4,096: its own owner stays below.
  xpc_testing::child crowd = xpc_testing::child::role(
      "says_nothing", {.arguments = {root + "/domain/.control", is_root ? "5000" : "3000"}});
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(xpcd.verb("print", "victim"));
  crowd.expect_line("connected");
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(xpcd.verb("print", "victim"));
  EXPECT_TRUE(xpcd.verb("kickstart", "victim"));
  crowd.kill(SIGKILL);
  crowd.wait();
  xpc_testing::wait_until("xpcd's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(xpcd.pid()) <= before + 16; });
}

}  // namespace

/// converses DIRECTORY USER COUNT: so many conversations with the control interface, as that user
/// where we are root, all kept: says how many were answered, and what it was told then. A line to
/// it ends them, and it asks once more.
XPC_TEST_ROLE(converses) {
  const auto user = static_cast<uid_t>(std::stoul(call.arguments.at(1)));
  if (::geteuid() == 0 && (::setgid(user) != 0 || ::setuid(user) != 0)) return 1;
  object_ref list = dictionary();
  set(list, "op", "list");
  std::vector<session> all;
  auto ask = [&] {
    answer why;
    all.push_back(open_control(call.arguments.at(0), &why));
    return all.back() ? all.back().call(list) : std::move(why);
  };
  answer told;
  int answered = 0;
  for (int left = std::stoi(call.arguments.at(2)); left > 0; --left) {
    answer got = ask();
    if (got) {
      ++answered;
    } else {
      told = std::move(got);
    }
  }
  xpc_testing::say(std::to_string(answered));
  xpc_testing::say(told.message);
  xpc_testing::hear();
  all.clear();
  xpc_testing::wait_until("to be served again", [&] { return static_cast<bool>(ask()); });
  xpc_testing::say("served");
  return 0;
}

namespace {

TEST_F(Control, T49_OpenConversationsOfOneUserAreBoundedAndOthersServed) {
  const bool is_root = ::geteuid() == 0;
  ASSERT_EQ(::chmod(root.c_str(), 0711), 0);
  manager xpcd(root + "/domain",
               is_root ? std::vector<std::string>{"--system"} : std::vector<std::string>());
  const std::string echo = "org.example.echo";
  ASSERT_TRUE(xpcd.bootstrap(for_anybody(plist("echo", role("echo", {echo}), {echo}))));
  const std::size_t before = xpc_testing::descriptor_count(xpcd.pid());
  constexpr rlim_t descriptors = 800;
  const rlimit few{descriptors, descriptors};
  ASSERT_EQ(::prlimit(xpcd.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  auto crowd_of = [&](const char* user) {
    return xpc_testing::child::role("converses", {.arguments = {xpcd.directory(), user, "150"}});
  };
  xpc_testing::child crowd = crowd_of("65534");
  crowd.expect_line("100");
  const std::string whom = "uid " + std::to_string(is_root ? nobody : ::geteuid());
  const std::string told =
      whom +
      " has 100 conversations with the service manager open, and may have no more; try "
      "again when some have ended";
  crowd.expect_line(told);
  EXPECT_LE(xpc_testing::descriptor_count(xpcd.pid()), before + 2 * 100 + 16);
  // A job starts and says so, whoever else is there.
  answer got = xpcd.open(echo).call("hello");
  ASSERT_TRUE(got) << got.message;
  if (is_root) {
    xpc_testing::child other = crowd_of("65533");
    other.expect_line("100");
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(xpcd.verb("print", "echo"));
    EXPECT_TRUE(xpcd.verb("kickstart", "echo"));
    other.kill(SIGKILL);
    other.wait();
  } else {
    EXPECT_NE(xpcd.verb("print", "echo").message.find(told), std::string::npos);
  }
  const std::string log = xpcd.log();
  EXPECT_NE(
      log.find("refused: process " + std::to_string(crowd.pid()) + " of " + whom + ": " + told),
      std::string::npos)
      << log;
  crowd.write_line("enough");
  crowd.expect_line("served");
  EXPECT_EQ(crowd.wait().status, 0);
  xpc_testing::wait_until("xpcd's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(xpcd.pid()) <= before + 16; });
  object_ref job = xpcd.print("echo");
  EXPECT_TRUE(::xpc_dictionary_get_bool(job.get(), "checked-in"));
}

}  // namespace
