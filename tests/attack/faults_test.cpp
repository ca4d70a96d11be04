// Verbs while the kernel refuses one system call after the other: what fails changes nothing.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

#include "attack/under_faults.hpp"
#include "system/manager.hpp"

using namespace system_test;

namespace {

class Faults : public attack::UnderFaults {
 protected:
  void SetUp() override { start({"--domain", directory}); }

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
  /// A verb about a job with its first, second, ... system call refused, until it makes fewer.
  /// @param prepare  before each time
  /// @param settle  takes back what was done, and looks at what was not
  void refuse_each_call(const char* op, const std::string& label, int error,
                        const std::function<void()>& prepare,
                        const std::function<void(const answer&)>& settle) {
    SCOPED_TRACE(std::string(op) + ", " + std::strerror(error));
    const std::set<std::string> files_before = files();
    const std::size_t before = xpc_testing::descriptor_count(xpcd->pid());
    int failures = 0;
    for (int number = 0; number < 200; ++number) {
      SCOPED_TRACE("call " + std::to_string(number));
      ASSERT_NO_FATAL_FAILURE(prepare());
      kernel->arm(xpcd->pid(), number, error);
      answer got = ask(op, label);
      const int seen = kernel->disarm();
      ASSERT_TRUE(xpcd->alive()) << "it ended xpcd: " << xpcd->error_text();
      if (!got) {
        ++failures;
        EXPECT_FALSE(got.message.empty());
        EXPECT_EQ(got.message.find("internal"), std::string::npos) << got.message;
      }
      settle(got);
      // Names, files and descriptors are as before, and what was loaded is served.
      EXPECT_EQ(files(), files_before) << got.message;
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

  /// @param undo  what to ask for when it was done all the same.
  void refuse_each_call_of(const char* op, const char* undo, int error,
                           const std::string& label = "job") {
    refuse_each_call(
        op, label, error, [] {},
        [&](const answer& got) {
          if (!got || undo == nullptr) return;
          answer undone = ask(undo, label);
          EXPECT_TRUE(undone) << undone.message;
        });
  }

  /// The same for a verb about a job that is loaded anew each time: it fails and the job is as it
  /// was, or it succeeds; and then everything can be taken back.
  void refuse_each_call_about_a_job(const char* op, int error) {
    std::set<std::string> files_loaded;
    refuse_each_call(
        op, "job", error,
        [&] {
          answer loaded = ask("bootstrap", "job");
          ASSERT_TRUE(loaded) << loaded.message;
          files_loaded = files();
        },
        [&](const answer& got) {
          if (!got) {
            EXPECT_EQ(ask("print", "job").code, OPENXPC_ERROR_NONE) << "it is loaded as before";
            std::set<std::string> now = files();
            now.erase(directory + "/.run/job.err");  // what it would have printed
            EXPECT_EQ(now, files_loaded) << got.message;
          }
          answer gone = ask("bootout", "job");
          EXPECT_TRUE(gone || gone.code == OPENXPC_ERROR_NOT_FOUND) << gone.message;
        });
  }

  const std::string directory = xpc_testing::runtime_directory() + "/domain";
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
