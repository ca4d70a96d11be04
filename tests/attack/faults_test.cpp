// Verbs while the kernel refuses one system call after the other: what fails changes nothing.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

#include "attack/faulty_kernel.hpp"
#include "system/manager.hpp"

using namespace system_test;
using openxpc::base::fd;

/// under_faults DIRECTORY, a socket: becomes xpcd, whose system calls the test answers.
XPC_TEST_ROLE(under_faults) {
  const fd listener(attack::confine());
  if (!listener) {
    std::fprintf(stderr, "cannot: %s\n", std::strerror(errno));
    return 77;
  }
  if (!attack::send_descriptor(call.borrowed_fd(0), listener.get())) return 1;
  ::execl(OPENXPC_XPCD, OPENXPC_XPCD, "--domain", call.arguments.at(0).c_str(), "--ready-fd", "1",
          nullptr);
  return 1;
}

namespace {

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const fd ours(ends[0]);
    fd theirs(ends[1]);
    xpcd.emplace(xpc_testing::child::role(
        "under_faults",
        {.arguments = {directory}, .borrowed_fds = {theirs.get()}, .keep_stderr = true}));
    theirs.reset();
    fd listener = attack::take_descriptor(ours.get());
    if (!listener) {
      xpcd->wait();
      GTEST_SKIP() << "NOT SHOWN: no system call can be answered here: " << xpcd->error_text();
    }
    kernel.emplace(std::move(listener));
    xpcd->expect_line("ready");
  }
  void TearDown() override {
    if (xpcd && xpcd->alive()) {
      xpcd->kill(SIGTERM);
      EXPECT_EQ(xpcd->wait().status, 0) << xpcd->error_text();
    }
    kernel.reset();
  }

  answer ask(const char* op, const std::string& label) const {
    object_ref order = dictionary();
    set(order, "op", op);
    set(order, "label", label);
    set(order, "name", label);
    set(order, "value", "1");
    set(order, "origin", "test.plist");
    const std::string text = plist(label, {"/bin/true"}, {label + ".a", label + ".b"});
    ::xpc_dictionary_set_data(order.get(), "plist", text.data(), text.size());
    return ask_control(directory, order);
  }
  /// Sockets and run state: everything that a job leaves in the domain.
  std::set<std::string> files() const {
    std::set<std::string> all;
    for (const auto& one : std::filesystem::recursive_directory_iterator(directory)) {
      // Why it could not be loaded is written there, for whoever asks for its names.
      if (one.path().string().find("/.why") == std::string::npos) all.insert(one.path().string());
    }
    return all;
  }
  /// One verb after the other with its first, second, ... system call refused, until it makes
  /// fewer.
  /// @param undo  what to ask for when it was done all the same.
  void refuse_each_call_of(const char* op, const char* undo, int error,
                           const std::string& label = "job") {
    SCOPED_TRACE(std::string(op) + ", " + std::strerror(error));
    const std::set<std::string> files_before = files();
    const std::size_t before = xpc_testing::descriptor_count(xpcd->pid());
    int failures = 0;
    for (int number = 0; number < 200; ++number) {
      kernel->arm(xpcd->pid(), number, error);
      answer got = ask(op, label);
      const int seen = kernel->disarm();
      ASSERT_TRUE(xpcd->alive()) << "call " << number << " ended xpcd: " << xpcd->error_text();
      if (!got) {
        ++failures;
        EXPECT_FALSE(got.message.empty());
        EXPECT_EQ(got.message.find("internal"), std::string::npos) << got.message;
      } else if (undo != nullptr) {
        answer undone = ask(undo, label);
        EXPECT_TRUE(undone) << undone.message;
      }
      // Names, files and descriptors are as before, and what was loaded is served.
      EXPECT_EQ(files(), files_before) << "call " << number << ": " << got.message;
      xpc_testing::wait_until("descriptors as before", [&] {
        return xpc_testing::descriptor_count(xpcd->pid()) <= before + 2;
      });
      EXPECT_EQ(ask("print", "other").code, OPENXPC_ERROR_NONE);
      if (::testing::Test::HasFailure()) return;
      if (seen <= number) {
        EXPECT_TRUE(got) << "nothing was refused: " << got.message;
        std::printf("%s: %d system calls refused in turn, %d times it failed\n", op, number,
                    failures);
        return;
      }
    }
    ADD_FAILURE() << "it makes ever more system calls";
  }

  /// The same for a verb about a job that is loaded anew each time: it fails and the job is as it
  /// was, or it succeeds; and then everything can be taken back.
  void refuse_each_call_about_a_job(const char* op, int error) {
    SCOPED_TRACE(std::string(op) + ", " + std::strerror(error));
    const std::set<std::string> files_before = files();
    const std::size_t before = xpc_testing::descriptor_count(xpcd->pid());
    int failures = 0;
    for (int number = 0; number < 200; ++number) {
      answer loaded = ask("bootstrap", "job");
      ASSERT_TRUE(loaded) << loaded.message;
      const std::set<std::string> files_loaded = files();
      kernel->arm(xpcd->pid(), number, error);
      answer got = ask(op, "job");
      const int seen = kernel->disarm();
      ASSERT_TRUE(xpcd->alive()) << "call " << number << " ended xpcd: " << xpcd->error_text();
      if (!got) {
        ++failures;
        EXPECT_FALSE(got.message.empty());
        EXPECT_EQ(got.message.find("internal"), std::string::npos) << got.message;
        EXPECT_EQ(ask("print", "job").code, OPENXPC_ERROR_NONE) << "it is loaded as before";
        std::set<std::string> now = files();
        now.erase(directory + "/.run/job.err");  // what it would have printed
        EXPECT_EQ(now, files_loaded) << "call " << number << ": " << got.message;
      }
      answer gone = ask("bootout", "job");
      EXPECT_TRUE(gone || gone.code == OPENXPC_ERROR_NOT_FOUND) << gone.message;
      EXPECT_EQ(files(), files_before) << "call " << number << ": " << got.message;
      xpc_testing::wait_until("descriptors as before", [&] {
        return xpc_testing::descriptor_count(xpcd->pid()) <= before + 2;
      });
      EXPECT_EQ(ask("print", "other").code, OPENXPC_ERROR_NONE);
      if (::testing::Test::HasFailure()) return;
      if (seen <= number) {
        EXPECT_TRUE(got) << "nothing was refused: " << got.message;
        std::printf("%s: %d system calls refused in turn, %d times it failed\n", op, number,
                    failures);
        return;
      }
    }
    ADD_FAILURE() << "it makes ever more system calls";
  }

  const std::string directory = xpc_testing::runtime_directory() + "/domain";
  std::optional<xpc_testing::child> xpcd;
  std::optional<attack::faulty_kernel> kernel;
};

TEST_F(Faults, T57_AVerbThatFailsHalfWayChangesNothing) {
  answer other = ask("bootstrap", "other");
  ASSERT_TRUE(other) << other.message;
  // What is opened once, the first time that it is needed, is there.
  for (const char* op : {"bootstrap", "bootout", "stats"}) ask(op, "job");
  for (const int error : {EMFILE, ENOSPC, EACCES}) {
    refuse_each_call_of("bootstrap", "bootout", error);
    if (HasFailure()) return;
  }
  for (const char* op : {"print", "list", "stats", "why-not"}) {
    refuse_each_call_of(op, nullptr, EMFILE, "other");
    if (HasFailure()) return;
  }
}

TEST_F(Faults, T57_SoDoVerbsThatStartAndRemoveJobs) {
  answer other = ask("bootstrap", "other");
  ASSERT_TRUE(other) << other.message;
  for (const char* op : {"bootstrap", "kickstart", "bootout"}) ask(op, "job");
  for (const int error : {EMFILE, ENOSPC, EACCES}) {
    for (const char* op : {"kickstart", "bootout"}) {
      refuse_each_call_about_a_job(op, error);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
