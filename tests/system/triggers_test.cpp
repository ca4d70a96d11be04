// What starts a job without a client.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "system/manager.hpp"

namespace system_test {
namespace {

class Triggers : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  manager xpcd{root + "/domain"};

  static std::string key(const std::string& name, const std::string& value) {
    return "<key>" + name + "</key>" + value;
  }
  static std::string paths(const std::vector<std::string>& all) {
    std::string text = "<array>";
    for (const std::string& one : all) text += "<string>" + one + "</string>";
    return text + "</array>";
  }
  static std::string dictionary_of(const std::string& name, bool value) {
    return "<dict><key>" + name + "</key>" + (value ? "<true/>" : "<false/>") + "</dict>";
  }
  /// A job that ends at once, and may do so as often as it likes.
  void load(const std::string& label, const std::string& more, const std::string& text = "exit 0") {
    answer loaded = xpcd.bootstrap(plist(label, {"/bin/sh", "-c", text}, {},
                                         key("ThrottleInterval", "<integer>0</integer>") + more));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  std::int64_t starts(const std::string& label) { return number_at(xpcd.print(label), "starts"); }
  void wait_for_starts(const std::string& label, std::int64_t least) {
    xpc_testing::wait_until(label + " to start " + std::to_string(least) + " times",
                            [&] { return starts(label) >= least; });
  }
  void write(const std::string& file, const std::string& text = "x") {
    std::ofstream(root + "/" + file) << text;
  }
};

TEST_F(Triggers, StartIntervalStartsTheJobAgainAndAgain) {
  load("tick", key("StartInterval", "<integer>1</integer>"));
  EXPECT_EQ(starts("tick"), 0) << "not when it is loaded";
  EXPECT_EQ(number_at(xpcd.print("tick"), "start-interval-s"), 1);
  wait_for_starts("tick", 2);
  // A new service manager goes on counting.
  const std::int64_t before = starts("tick");
  xpcd.replace();
  wait_for_starts("tick", before + 1);
}

TEST_F(Triggers, AJobThatRunsIsNotStartedBesideItself) {
  load("tick", key("StartInterval", "<integer>1</integer>"), "exec sleep 1000");
  load("clock", key("StartInterval", "<integer>1</integer>"));
  wait_for_starts("tick", 1);
  wait_for_starts("clock", starts("clock") + 2);
  EXPECT_EQ(starts("tick"), 1);
}

TEST_F(Triggers, StartCalendarIntervalSaysWhenTheNextStartIs) {
  load("minute", key("StartCalendarInterval", "<dict/>"));
  const std::int64_t next = number_at(xpcd.print("minute"), "next-start-ms");
  EXPECT_GT(next, -1000);
  EXPECT_LE(next, 60000);
  load("never-mind", key("StartCalendarInterval",
                         "<array><dict><key>Month</key><integer>1</integer></dict>"
                         "<dict><key>Month</key><integer>7</integer></dict></array>"));
  EXPECT_LE(number_at(xpcd.print("never-mind"), "next-start-ms"), 184LL * 24 * 3600 * 1000);
}

TEST_F(Triggers, WatchPathsStartTheJobWhenSomethingChanges) {
  write("file");
  ASSERT_EQ(::mkdir((root + "/directory").c_str(), 0700), 0);
  load("watcher",
       key("WatchPaths", paths({root + "/file", root + "/directory/", root + "/later"})));
  EXPECT_EQ(starts("watcher"), 0);
  write("file", "y");
  wait_for_starts("watcher", 1);
  std::int64_t before = starts("watcher");
  write("directory/entry");
  wait_for_starts("watcher", before + 1);
  before = starts("watcher");
  write("later");
  wait_for_starts("watcher", before + 1);
  before = starts("watcher");
  // Replaced, as careful editors do, and then written in place again.
  write("new");
  std::filesystem::rename(root + "/new", root + "/file");
  wait_for_starts("watcher", before + 1);
  xpcd.wait_for_state("watcher", "waiting");
  before = starts("watcher");
  write("file", "z");
  wait_for_starts("watcher", before + 1);
}

TEST_F(Triggers, AChangeWhileTheJobRunsStartsItAgainAfterwards) {
  load("watcher", key("WatchPaths", paths({root + "/file"})),
       "echo run >>" + root + "/runs; while [ ! -e " + root + "/go ]; do sleep 0.01; done");
  write("file");
  wait_for_starts("watcher", 1);
  xpc_testing::wait_until("it to run", [&] { return std::filesystem::exists(root + "/runs"); });
  write("file", "again");
  xpcd.wait_for_state("watcher", "running");
  write("go");
  wait_for_starts("watcher", 2);
}

TEST_F(Triggers, QueueDirectoriesKeepTheJobRunningUntilTheyAreEmpty) {
  const std::string queue = root + "/queue";
  ASSERT_EQ(::mkdir(queue.c_str(), 0700), 0);
  // One file a run.
  load("worker", key("QueueDirectories", paths({queue})),
       "cd " + queue + "; set -- *; [ -e \"$1\" ] && rm \"$1\"; exit 0");
  EXPECT_EQ(starts("worker"), 0);
  write("queue/one");
  write("queue/two");
  write("queue/three");
  xpc_testing::wait_until("the queue to be empty",
                          [&] { return std::filesystem::is_empty(queue); });
  EXPECT_GE(starts("worker"), 3);
  xpcd.wait_for_state("worker", "waiting");
  const std::int64_t before = starts("worker");
  write("queue/four");
  wait_for_starts("worker", before + 1);
}

TEST_F(Triggers, AQueueThatIsFullWhenTheJobIsLoadedStartsIt) {
  ASSERT_EQ(::mkdir((root + "/queue").c_str(), 0700), 0);
  write("queue/one");
  load("worker", key("QueueDirectories", paths({root + "/queue"})), "rm " + root + "/queue/*");
  wait_for_starts("worker", 1);
}

TEST_F(Triggers, R237_PathStateKeepsTheJobAliveWhileThePathIsThere) {
  load("job", key("KeepAlive",
                  "<dict>" + key("PathState", dictionary_of(root + "/on", true)) + "</dict>"));
  EXPECT_EQ(starts("job"), 0);
  write("on");
  wait_for_starts("job", 3);
  std::filesystem::remove(root + "/on");
  xpcd.wait_for_state("job", "waiting");
  load("inverse",
       key("KeepAlive",
           "<dict>" + key("PathState", dictionary_of(root + "/off", false)) + "</dict>"));
  wait_for_starts("inverse", 2);
  write("off");
  xpcd.wait_for_state("inverse", "waiting");
}

TEST_F(Triggers, R237_OtherJobEnabledFollowsTheOtherJob) {
  load(
      "with",
      key("KeepAlive", "<dict>" + key("OtherJobEnabled", dictionary_of("other", true)) + "</dict>"),
      "exec sleep 1000");
  EXPECT_EQ(text_at(xpcd.print("with"), "state"), "waiting");
  load("other", "");
  xpcd.wait_for_state("with", "running");
  load("without",
       key("KeepAlive",
           "<dict>" + key("OtherJobEnabled", dictionary_of("other", false)) + "</dict>"),
       "exec sleep 1000");
  EXPECT_EQ(text_at(xpcd.print("without"), "state"), "waiting");
  ASSERT_TRUE(xpcd.verb("bootout", "other"));
  xpcd.wait_for_state("without", "running");
}

TEST_F(Triggers, R236_AfterInitialDemandTheJobIsKeptAlive) {
  load("job", key("KeepAlive",
                  "<dict><key>SuccessfulExit</key><true/>"
                  "<key>AfterInitialDemand</key><true/></dict>"));
  EXPECT_EQ(text_at(xpcd.print("job"), "state"), "waiting");
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  wait_for_starts("job", 2);
}

TEST_F(Triggers, ANewServiceManagerStartsNothingBesideWhatRuns) {
  write("on");
  load(
      "job",
      key("KeepAlive", "<dict>" + key("PathState", dictionary_of(root + "/on", true)) + "</dict>") +
          key("StartInterval", "<integer>1000</integer>"),
      "exec sleep 1000");
  object_ref before = xpcd.wait_for_state("job", "running");
  xpcd.replace();
  object_ref after = xpcd.print("job");
  EXPECT_EQ(number_at(after, "pid"), number_at(before, "pid"));
  EXPECT_EQ(number_at(after, "starts"), 1);
  EXPECT_LE(number_at(after, "next-start-ms"), number_at(before, "next-start-ms"));
}

TEST_F(Triggers, ARemovedJobIsWatchedNoMore) {
  auto watchers = [&] {
    const std::vector<xpc_testing::open_descriptor> all = xpc_testing::open_descriptors(xpcd.pid());
    return std::count_if(all.begin(), all.end(), [](const xpc_testing::open_descriptor& one) {
      return one.target == "anon_inode:inotify";
    });
  };
  const auto before = watchers();
  load("first", key("WatchPaths", paths({root + "/file"})));
  EXPECT_EQ(watchers(), before + 1) << "one for all paths of all jobs";
  load("second", key("WatchPaths", paths({root + "/file", root + "/other"})));
  EXPECT_EQ(watchers(), before + 1);
  ASSERT_TRUE(xpcd.verb("bootout", "first"));
  write("file");
  wait_for_starts("second", 1);
}

}  // namespace
}  // namespace system_test
