// Verbs about what is there already, while the kernel refuses one system call after the other: a
// verb that fails leaves names, descriptors, files and settings as they were.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "attack/under_faults.hpp"
#include "system/manager.hpp"

using namespace system_test;

namespace {

using order = std::function<void(const object_ref&)>;

struct row {
  const char* name;
  const char* op;
  order more;
  const char* undo;  // what takes it back
  order undo_more;
  bool never = false;     // it is refused whatever happens, in a reply
  bool restarts = false;  // it gives the job another process
};

void about_job(const object_ref& request) { set(request, "label", "job"); }
void about_other(const object_ref& request) { set(request, "label", "other"); }
void variable(const object_ref& request) {
  set(request, "name", "TEA");
  set(request, "value", "green");
}
void known_variable(const object_ref& request) {
  set(request, "name", "KNOWN");
  set(request, "value", "as before");
}
void submitted(const object_ref& request) {
  set(request, "origin", "xpcctl submit");
  const std::string text =
      plist("other", {"/bin/sleep", "1000"}, {"other.name"}, "<key>RunAtLoad</key><true/>");
  ::xpc_dictionary_set_data(request.get(), "plist", text.data(), text.size());
}
void restarted(const object_ref& request) {
  about_job(request);
  ::xpc_dictionary_set_bool(request.get(), "kill", true);
}
void woken(const object_ref& request) {
  about_job(request);
  set(request, "signal", std::int64_t{SIGCONT});
}
void no_xpcd(const object_ref& request) { set(request, "program", "/bin/true"); }

const std::array<row, 9>& rows() {
  static const std::array<row, 9> all{{
      {"disable", "disable", about_other, "enable", about_other},
      {"enable", "enable", about_job, "enable", about_job},
      {"setenv", "setenv", variable, "unsetenv", variable},
      {"unsetenv", "unsetenv", known_variable, "setenv", known_variable},
      {"kill", "kill", woken, nullptr, nullptr},
      {"submit", "bootstrap", submitted, "bootout", about_other},
      {"restart", "kickstart", restarted, nullptr, nullptr, false, true},
      {"upgrade", "upgrade", about_job, nullptr, nullptr},
      {"manager", "upgrade-manager", no_xpcd, nullptr, nullptr, true},
  }};
  return all;
}

class VerbFaults : public attack::UnderFaults, public ::testing::WithParamInterface<row> {
 protected:
  void SetUp() override {
    start({"--domain", directory, "--state", state});
    if (HasFatalFailure() || IsSkipped()) return;
    load("job", "<key>RunAtLoad</key><true/><key>ThrottleInterval</key><integer>0</integer>");
    ASSERT_TRUE(ask("setenv", known_variable));
    ASSERT_TRUE(ask("enable", about_job));
  }
  void load(const std::string& label, const std::string& more) const {
    const std::string text = plist(label, {"/bin/sleep", "1000"}, {label + ".name"}, more);
    const answer loaded = ask("bootstrap", [&](const object_ref& request) {
      set(request, "origin", "test.plist");
      ::xpc_dictionary_set_data(request.get(), "plist", text.data(), text.size());
    });
    ASSERT_TRUE(loaded) << loaded.message;
  }
  answer ask(const char* op, const order& more) const {
    object_ref request = dictionary();
    set(request, "op", op);
    if (more) more(request);
    return ask_control(directory, request);
  }
  std::int64_t pid() const { return number_at(ask("print", about_job).reply, "job/pid"); }
  /// Settings, files with their contents where these last, and which sockets have the names.
  std::set<std::string> all() const {
    std::set<std::string> result;
    for (const std::string& top : {directory, state}) {
      if (!std::filesystem::exists(top)) continue;
      for (const auto& one : std::filesystem::recursive_directory_iterator(top)) {
        struct stat status;
        if (::lstat(one.path().c_str(), &status) != 0) continue;
        std::string line = one.path().string();
        // Why somebody was refused is written there for whoever asks.
        if (line.find("/.why") != std::string::npos) continue;
        // Without a look at who is left a name gets a new socket, and what cannot be kept is lost.
        if (GetParam().restarts && line.ends_with(".err")) continue;
        if (S_ISSOCK(status.st_mode) && !GetParam().restarts)
          line += " " + std::to_string(status.st_ino);
        result.insert(line);
      }
    }
    for (const char* name : {"TEA", "KNOWN"}) {
      const answer got =
          ask("getenv", [&](const object_ref& request) { set(request, "name", name); });
      result.insert(std::string(name) + "=" + text_at(got.reply, "value"));
    }
    for (const char* label : {"job", "other"}) {
      const answer got = ask("print-disabled", nullptr);
      const std::string path = std::string("disabled/") + label;
      if (has(got.reply, path)) {
        xpc_object_t labels = ::xpc_dictionary_get_value(got.reply.get(), "disabled");
        if (::xpc_dictionary_get_bool(labels, label)) result.insert(path);
      }
      const answer job =
          ask("print", [&](const object_ref& request) { set(request, "label", label); });
      result.insert(std::string(label) + " is " + text_at(job.reply, "job/state"));
    }
    return result;
  }

  const std::string root = xpc_testing::runtime_directory();
  const std::string directory = root + "/domain", state = root + "/state";
};
INSTANTIATE_TEST_SUITE_P(, VerbFaults, ::testing::ValuesIn(rows()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(VerbFaults, T57_WhatFailsHalfWayChangesNothing) {
  const row& verb = GetParam();
  // What is made once is there: directories, a database of users.
  if (!verb.never) {
    const answer once = ask(verb.op, verb.more);
    ASSERT_TRUE(once) << once.message;
    if (verb.undo != nullptr) {
      ASSERT_TRUE(ask(verb.undo, verb.undo_more));
    }
  }
  const std::size_t descriptors = xpc_testing::descriptor_count(xpcd->pid());
  for (const int error : {EMFILE, ENOSPC, EACCES}) {
    SCOPED_TRACE(std::strerror(error));
    int failures = 0, number = 0;
    for (bool more = true; more; ++number) {
      ASSERT_LT(number, 300) << "it makes ever more system calls";
      const std::set<std::string> before = all();
      const std::int64_t process = pid();
      kernel->arm(xpcd->pid(), number, error);
      const answer got = ask(verb.op, verb.more);
      more = kernel->disarm() > number;
      ASSERT_TRUE(xpcd->alive()) << "call " << number << ": " << xpcd->error_text();
      const bool done = static_cast<bool>(got) && !verb.never;
      if (verb.never && got) {
        EXPECT_EQ(text_at(got.reply, "result"), "refused");
      }
      if (!done) {
        ++failures;
        EXPECT_EQ(got.message.find("internal"), std::string::npos) << got.message;
      }
      if (done && verb.undo != nullptr) {
        const answer undone = ask(verb.undo, verb.undo_more);
        EXPECT_TRUE(undone) << undone.message;
      }
      if (verb.restarts) {
        // A process that could not be started is missing, and nothing else; it can be started.
        ASSERT_TRUE(ask("kickstart", about_job));
      } else {
        EXPECT_EQ(pid(), process) << "call " << number;
      }
      EXPECT_EQ(all(), before) << "call " << number << ": " << got.message;
      xpc_testing::wait_until("descriptors as before", [&] {
        return xpc_testing::descriptor_count(xpcd->pid()) <= descriptors + 2;
      });
      if (!more && !verb.never) {
        EXPECT_TRUE(got) << "nothing was refused: " << got.message;
      }
      if (HasFailure()) return;
    }
    std::printf("%s: %d system calls refused in turn, %d times it failed\n", verb.name, number - 1,
                failures);
  }
}

}  // namespace
