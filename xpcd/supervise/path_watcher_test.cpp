#include "supervise/path_watcher.hpp"

#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace openxpc::supervise {
namespace {

class PathWatcher : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  asio::io_context loop;
  path_watcher watcher{loop};

  path_watcher::handle count(const std::string& path, int* changes) {
    return watcher.add(path, [changes] { ++*changes; });
  }
  void write(const std::string& file) { std::ofstream(root + "/" + file) << "x"; }
  /// The kernel queues events before the call that causes them returns, so all that happened is
  /// here.
  void run() {
    loop.restart();
    loop.poll();
  }
};

TEST_F(PathWatcher, FilesAreToldOfOnceForEachTurn) {
  write("file");
  int changes = 0;
  count(root + "/file", &changes);
  run();
  EXPECT_EQ(changes, 0);
  write("file");
  run();
  EXPECT_EQ(changes, 1);
  ASSERT_EQ(::chmod((root + "/file").c_str(), 0600), 0);
  run();
  EXPECT_EQ(changes, 2);
  write("beside");
  run();
  EXPECT_EQ(changes, 2) << "another file is none of its business";
}

TEST_F(PathWatcher, WhatIsNotThereYetIsSeenWhenItComesAndGoes) {
  int changes = 0;
  count(root + "/a/b/c", &changes);
  std::filesystem::create_directory(root + "/a");
  run();
  EXPECT_EQ(changes, 0) << "it only came nearer";
  std::filesystem::create_directories(root + "/a/b");
  run();
  write("a/b/c");
  run();
  EXPECT_EQ(changes, 1);
  std::filesystem::remove(root + "/a/b/c");
  run();
  EXPECT_EQ(changes, 2);
  std::filesystem::remove_all(root + "/a");
  run();
  std::filesystem::create_directories(root + "/a/b");
  run();
  write("a/b/c");
  run();
  EXPECT_GE(changes, 3);
}

TEST_F(PathWatcher, WhatMovesAwayWithItsDirectoryIsTold) {
  std::filesystem::create_directory(root + "/a");
  write("a/file");
  int changes = 0;
  count(root + "/a/file", &changes);
  std::filesystem::rename(root + "/a", root + "/b");
  run();
  EXPECT_EQ(changes, 1);
  std::filesystem::rename(root + "/b", root + "/a");
  run();
  EXPECT_EQ(changes, 2) << "it is back";
}

TEST_F(PathWatcher, AReplacedFileIsFollowed) {
  write("file");
  int changes = 0;
  count(root + "/file", &changes);
  write("new");
  std::filesystem::rename(root + "/new", root + "/file");
  run();
  EXPECT_EQ(changes, 1);
  write("file");
  run();
  EXPECT_EQ(changes, 2);
}

TEST_F(PathWatcher, DirectoriesTellOfTheirEntriesOnly) {
  std::filesystem::create_directory(root + "/d");
  int changes = 0;
  count(root + "/d//", &changes);
  write("d/entry");
  run();
  EXPECT_EQ(changes, 1);
  write("d/entry");
  run();
  EXPECT_EQ(changes, 1) << "what is in an entry is not what is in the directory";
  std::filesystem::rename(root + "/d/entry", root + "/d/other");
  run();
  EXPECT_EQ(changes, 2);
}

TEST_F(PathWatcher, TheSamePathForTwoAndRemovalOfOne) {
  std::filesystem::create_directory(root + "/d");
  int first = 0, second = 0, below = 0;
  path_watcher::handle one = count(root + "/d", &first);
  count(root + "/d", &second);
  count(root + "/d/file", &below);
  write("d/file");
  run();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
  EXPECT_EQ(below, 1);
  watcher.remove(one);
  std::filesystem::remove(root + "/d/file");
  run();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(below, 2);
}

}  // namespace
}  // namespace openxpc::supervise
