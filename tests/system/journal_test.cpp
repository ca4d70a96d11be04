// What xpcd and its jobs say where there is a journal, and where there is none.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "system/manager.hpp"

using openxpc::base::fd;

/// xpcd_with_journal OPTION...: becomes an xpcd whose standard error is a stream of a journal's.
XPC_TEST_ROLE(xpcd_with_journal) {
  int pair[2];
  struct stat status;
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || ::dup2(pair[0], 2) < 0 ||
      ::fstat(2, &status) < 0) {
    return 1;
  }
  ::setenv("JOURNAL_STREAM",
           (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(), 1);
  std::vector<std::string> arguments{xpc_testing::xpcd_program};
  arguments.insert(arguments.end(), call.arguments.begin(), call.arguments.end());
  std::vector<char*> pointers;
  for (std::string& one : arguments) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  ::execv(xpc_testing::xpcd_program, pointers.data());
  return 1;
}

namespace system_test {
namespace {

/// Takes entries as journald does.
class journal {
 public:
  explicit journal(const std::string& directory) {
    std::filesystem::create_directory(directory);
    socket_ = bound(directory + "/socket", SOCK_DGRAM);
    streams_ = bound(directory + "/stdout", SOCK_STREAM);
    EXPECT_EQ(::listen(streams_.get(), 16), 0);
  }
  using entry = std::map<std::string, std::string>;
  /// Waits for an entry with that in its message.
  entry wait_for(const std::string& words) {
    for (;;) {
      for (const entry& one : seen_) {
        auto text = one.find("MESSAGE");
        if (text != one.end() && text->second.find(words) != std::string::npos) return one;
      }
      pollfd look{socket_.get(), POLLIN, 0};
      if (::poll(&look, 1, patience_ms) <= 0) throw std::runtime_error("no entry: " + words);
      seen_.push_back(take());
    }
  }
  std::size_t count(const std::string& words) const {
    std::size_t found = 0;
    for (const entry& one : seen_) found += one.at("MESSAGE").find(words) != std::string::npos;
    return found;
  }
  /// The next stream that somebody opened: everything up to and with `words`.
  std::string wait_for_stream(const std::string& words) {
    const fd stream(::accept4(streams_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string text;
    char some[4096];
    for (ssize_t got; text.find(words) == std::string::npos &&
                      (got = ::read(stream.get(), some, sizeof some)) > 0;) {
      text.append(some, static_cast<std::size_t>(got));
    }
    return text;
  }
  bool is_silent() const {
    pollfd look{socket_.get(), POLLIN, 0};
    return ::poll(&look, 1, 0) == 0;
  }

 private:
  static constexpr int patience_ms = 60'000;
  static fd bound(const std::string& path, int type) {
    fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
    return socket;
  }
  entry take() {
    std::string text(1 << 20, '\0');
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))];
    iovec whole{text.data(), text.size()};
    msghdr packet{};
    packet.msg_iov = &whole;
    packet.msg_iovlen = 1;
    packet.msg_control = room;
    packet.msg_controllen = sizeof room;
    const ssize_t got = ::recvmsg(socket_.get(), &packet, MSG_CMSG_CLOEXEC);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (const cmsghdr* head = CMSG_FIRSTHDR(&packet)) {
      int number;
      std::memcpy(&number, CMSG_DATA(head), sizeof number);
      const fd file(number);
      EXPECT_EQ(::fcntl(file.get(), F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
      struct stat status;
      EXPECT_EQ(::fstat(file.get(), &status), 0);
      text.resize(static_cast<std::size_t>(status.st_size));
      EXPECT_EQ(::pread(file.get(), text.data(), text.size(), 0), status.st_size);
    }
    return parse(text);
  }
  static entry parse(const std::string& text) {
    entry result;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at), equals = text.find('=', at);
      if (equals < end) {
        result[text.substr(at, equals - at)] = text.substr(equals + 1, end - equals - 1);
        at = end + 1;
        continue;
      }
      std::uint64_t size = 0;
      std::memcpy(&size, text.data() + end + 1, sizeof size);
      result[text.substr(at, end - at)] = text.substr(end + 9, size);
      at = end + 9 + size + 1;
    }
    return result;
  }

  fd socket_, streams_;
  std::vector<entry> seen_;
};

class Journal : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string domain = root + "/domain";
  journal here{root + "/journal"};
  std::optional<xpc_testing::child> xpcd;

  void start() {
    xpcd.emplace(xpc_testing::child::role(
        "xpcd_with_journal", {.arguments = {"--domain", domain, "--ready-fd", "1"},
                              .environment = {"OPENXPC_JOURNAL_DIRECTORY=" + root + "/journal"}}));
    xpcd->expect_line("ready");
  }
  answer ask(const char* op, const std::string& label, const std::string& list = {}) {
    object_ref request = dictionary();
    set(request, "op", op);
    set(request, "label", label);
    set(request, "origin", "test.plist");
    if (!list.empty()) {
      ::xpc_dictionary_set_data(request.get(), "plist", list.data(), list.size());
    }
    return ask_control(domain, request);
  }
  void run(const std::string& label, const std::string& script, const std::string& more = {}) {
    answer loaded = ask("bootstrap", label, plist(label, {"/bin/sh", "-c", script}, {}, more));
    ASSERT_TRUE(loaded) << loaded.message;
    ASSERT_TRUE(ask("kickstart", label));
  }
  /// Kills xpcd, but not before it has written down what it told: it does so before it answers.
  void end_between_two_lines() {
    ASSERT_TRUE(ask("print", "job"));
    xpcd->kill(SIGKILL);
    xpcd->wait();
  }
  std::vector<std::string> printed(const std::string& label) {
    answer shown = ask("print", label);
    return shown ? texts_at(shown.reply, "job/stderr") : std::vector<std::string>();
  }
};

TEST_F(Journal, WhatXpcdSaysIsAnEntryWithItsWeightAndJob) {
  start();
  run("job", "exit 3");
  const journal::entry one = here.wait_for("job: exited with status 3");
  EXPECT_EQ(one.at("PRIORITY"), "6");
  EXPECT_EQ(one.at("SYSLOG_IDENTIFIER"), "xpcd");
  EXPECT_EQ(one.at("OPENXPC_LABEL"), "job");
}

TEST_F(Journal, EveryComplaintIsAnEntryToo) {
  xpcd.emplace(xpc_testing::child::role(
      "xpcd_with_journal", {.arguments = {"--domain", domain, "--ready-fd", "999"},
                            .environment = {"OPENXPC_JOURNAL_DIRECTORY=" + root + "/journal"}}));
  EXPECT_EQ(here.wait_for("--ready-fd: Bad file descriptor").at("PRIORITY"), "4");
  EXPECT_EQ(ask("fly", "job").code, OPENXPC_ERROR_UNKNOWN_METHOD);
  EXPECT_EQ(here.wait_for("refused: process ").at("PRIORITY"), "4");
}

TEST_F(Journal, WhatAJobPrintsGoesThereAndStaysForPrint) {
  start();
  run("job", "echo to the journal; echo one >&2; echo '<3>two' >&2; printf 'the end' >&2");
  EXPECT_EQ(here.wait_for_stream("to the journal\n"), "job\n\n6\n1\n0\n0\n0\nto the journal\n");
  EXPECT_EQ(here.wait_for("the end").at("PRIORITY"), "6") << "also without a newline";
  const journal::entry two = here.wait_for("two");
  EXPECT_EQ(two.at("MESSAGE"), "two");
  EXPECT_EQ(two.at("PRIORITY"), "3");
  EXPECT_EQ(two.at("SYSLOG_IDENTIFIER"), "job");
  EXPECT_EQ(two.at("OPENXPC_LABEL"), "job");
  EXPECT_EQ(here.count("one"), 1u);
  EXPECT_EQ(printed("job"), (std::vector<std::string>{"one", "<3>two", "the end"}));
}

TEST_F(Journal, WhileItRunsLineByLineAndOnceAlsoPastANewServiceManager) {
  start();
  const std::string more = root + "/more", fifo = root + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  run("job", "echo first >&2; while read line <" + fifo + "; do echo $line >&2; done");
  here.wait_for("first");
  end_between_two_lines();
  const auto tell = [&](const std::string& line) {
    const fd in(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::write(in.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  };
  start();
  tell("second\n");
  EXPECT_EQ(here.wait_for("second").at("SYSLOG_IDENTIFIER"), "job");
  EXPECT_EQ(here.count("first"), 1u);
}

TEST_F(Journal, WhatAJobPrintsWhileThereIsNoServiceManagerArrivesToo) {
  start();
  ASSERT_EQ(::mkfifo((root + "/gate").c_str(), 0600), 0);
  run("job", "echo before >&2; read line < " + root + "/gate; echo meanwhile >&2; : > " + root +
                 "/done; exec sleep 1000");
  here.wait_for("before");
  end_between_two_lines();
  const fd gate(::open((root + "/gate").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(gate.get(), "go\n", 3), 3);
  xpc_testing::wait_until("the job to have said it",
                          [&] { return std::filesystem::exists(root + "/done"); });
  start();
  EXPECT_EQ(here.wait_for("meanwhile").at("OPENXPC_LABEL"), "job");
  EXPECT_EQ(here.count("before"), 1u);
}

TEST_F(Journal, ALongLineArrivesWhole) {
  start();
  const std::string label(80, 'x');
  run(label, "head -c 300000 /dev/zero | tr '\\0' y >&2; echo >&2; echo end >&2");
  here.wait_for("end");
  std::size_t most = 0;
  journal::entry longest = here.wait_for("yyyy");
  for (const auto& [name, value] : longest) most = std::max(most, value.size());
  EXPECT_GE(most, std::size_t{40'000});
}

TEST_F(Journal, FilesOfItsOwnAreLeftToTheJob) {
  start();
  run("job", "echo out; echo err >&2",
      "<key>StandardErrorPath</key><string>" + root + "/err</string>");
  here.wait_for("job: exited with status 0");
  EXPECT_EQ(here.count("err"), 0u);
}

TEST_F(Journal, WithoutTheStreamOfAJournalNothingGoesThere) {
  xpc_testing::child plain = xpc_testing::child::program(
      xpc_testing::xpcd_program,
      {.arguments = {"--domain", domain, "--ready-fd", "1"},
       .environment = {"OPENXPC_JOURNAL_DIRECTORY=" + root + "/journal", "JOURNAL_STREAM=1:1"},
       .keep_stderr = true});
  plain.expect_line("ready");
  run("job", "echo one >&2");
  xpc_testing::wait_until("its end", [&] {
    return plain.error_text().find("job: exited with status 0") != std::string::npos;
  });
  EXPECT_TRUE(here.is_silent());
}

TEST_F(Journal, ASetUidProgramTakesNobodysWordForIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: only root makes a set-uid program of root's";
  ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
  const std::string copy = root + "/xpcd";
  std::filesystem::copy_file(xpc_testing::xpcd_program, copy);
  ASSERT_EQ(::chmod(copy.c_str(), 04755), 0);
  const std::string script =
      "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec " + copy;
  const xpc_testing::run_result got = xpc_testing::run(
      "/usr/bin/setpriv",
      {.arguments = {"--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", script},
       .environment = {"OPENXPC_JOURNAL_DIRECTORY=" + root + "/journal"},
       .keep_stderr = true});
  EXPECT_NE(got.error.find("xpcd: a set-uid program takes no directory"), std::string::npos)
      << got.error;
  EXPECT_TRUE(here.is_silent());
}

}  // namespace
}  // namespace system_test
