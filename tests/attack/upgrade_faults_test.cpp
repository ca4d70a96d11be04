// Two versions of a service change places while the kernel refuses one system call after the other:
// each name leads to one of them, whichever it is, and nothing of the other is left.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "attack/under_faults.hpp"
#include "system/manager.hpp"

using namespace system_test;

namespace {

class UpgradeFaults : public attack::UnderFaults, public ::testing::WithParamInterface<int> {
 protected:
  answer ask(const char* op, const std::string& label, bool force = false) const {
    object_ref request = dictionary();
    set(request, "op", op);
    if (!label.empty()) set(request, "label", label);
    if (force) ::xpc_dictionary_set_bool(request.get(), "force", true);
    return ask_control(directory, request);
  }
  void load(const std::string& label) const {
    object_ref request = dictionary();
    set(request, "op", "bootstrap");
    set(request, "origin", "test.plist");
    const std::string text =
        plist(label, role("echo", {label + ".one", label + ".two"}),
              {label + ".one", label + ".two"}, "<key>ThrottleInterval</key><integer>0</integer>");
    ::xpc_dictionary_set_data(request.get(), "plist", text.data(), text.size());
    const answer loaded = ask_control(directory, request);
    ASSERT_TRUE(loaded) << loaded.message;
  }
  std::int64_t pid_of(const std::string& label) const {
    return number_at(ask("print", label).reply, "job/pid");
  }
  /// Who answers at the name.
  std::int64_t served_by(const std::string& name) const {
    openxpc_conversation_options_s options{};
    options.size = sizeof options;
    options.domain_directory = directory.c_str();
    xpc_rich_error_t error = nullptr;
    const session client(::openxpc_session_open(name.c_str(), &options, &error));
    const object_ref owned(error);
    if (!client) return -1;
    const answer said = client.call("hello");
    return said ? number_at(said.reply, "pid") : -1;
  }
  std::set<std::string> files() const {
    std::set<std::string> all;
    for (const auto& one : std::filesystem::recursive_directory_iterator(directory)) {
      const std::string path = one.path().string();
      // What a process prints cannot always be kept, and why somebody was refused is kept awhile.
      if (!path.ends_with(".err") && path.find("/.why") == std::string::npos) all.insert(path);
    }
    return all;
  }
  /// Those that xpcd has made, whichever of its threads did.
  std::size_t processes() const {
    std::size_t count = 0;
    const std::string threads = "/proc/" + std::to_string(xpcd->pid()) + "/task";
    for (const auto& thread : std::filesystem::directory_iterator(threads)) {
      std::ifstream all(thread.path() / "children");
      for (pid_t one = 0; all >> one;) ++count;
    }
    return count;
  }

  const std::string directory = xpc_testing::runtime_directory() + "/domain";
};
INSTANTIATE_TEST_SUITE_P(, UpgradeFaults, ::testing::Values(EMFILE, ENOSPC, EACCES),
                         [](const auto& one) {
                           return one.param == EMFILE   ? "NoDescriptor"
                                  : one.param == ENOSPC ? "NoSpace"
                                                        : "NoPermission";
                         });

TEST_P(UpgradeFaults, T57_EachNameLeadsToOneVersionAndNothingOfTheOtherIsLeft) {
  ASSERT_NO_FATAL_FAILURE(start({"--domain", directory, "--check-in-time", "10"}));
  if (IsSkipped()) return;
  for (const char* label : {"job", "other"}) ASSERT_NO_FATAL_FAILURE(load(label));
  const std::int64_t others = served_by("other.one");
  ASSERT_GT(others, 0);
  ASSERT_GT(served_by("job.one"), 0);
  // What is made once is there.
  ASSERT_EQ(text_at(ask("upgrade", "job", true).reply, "result"), "upgraded");
  const std::set<std::string> files_before = files();
  const std::size_t descriptors = xpc_testing::descriptor_count(xpcd->pid());
  int failures = 0, number = 0;
  for (bool more = true; more; ++number) {
    SCOPED_TRACE("call " + std::to_string(number));
    ASSERT_LT(number, 300) << "it makes ever more system calls";
    const std::int64_t before = pid_of("job");
    kernel->arm(xpcd->pid(), number, GetParam());
    const answer got = ask("upgrade", "job", true);
    more = kernel->disarm() > number;
    ASSERT_TRUE(xpcd->alive()) << xpcd->error_text();
    const std::string result = text_at(got.reply, "result");
    if (result != "upgraded") {
      ++failures;
      EXPECT_TRUE(more) << "nothing was refused: " << got.message;
      EXPECT_FALSE(got && text_at(got.reply, "reason").empty()) << result;
    }
    const std::int64_t after = served_by("job.one");
    EXPECT_GT(after, 0) << got.message << xpcd->error_text();
    EXPECT_EQ(served_by("job.two"), after);
    EXPECT_EQ(pid_of("job"), after);
    if (result == "upgraded") {
      EXPECT_NE(after, before);
    }
    xpc_testing::wait_until("the other version to be gone", [&] { return processes() == 2; });
    EXPECT_EQ(files(), files_before) << got.message;
    xpc_testing::wait_until("descriptors as before", [&] {
      return xpc_testing::descriptor_count(xpcd->pid()) <= descriptors + 2;
    });
    EXPECT_EQ(served_by("other.one"), others) << "it is no business of this one";
    if (HasFailure()) return;
  }
  std::printf("upgrade, %s: %d system calls refused in turn, %d times it failed\n",
              std::strerror(GetParam()), number - 1, failures);
  EXPECT_GT(failures, 0);
}

}  // namespace
