#include "supervise/trusted_path.hpp"

#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace openxpc::supervise {
namespace {

class TrustedPath : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  static bool is_root() { return ::geteuid() == 0; }
};

TEST_F(TrustedPath, WhatTheSystemBringsIsTrustedThroughItsLinks) {
  outcome<base::fd> shell = open_trusted("/bin/sh");
  ASSERT_TRUE(shell) << shell.error().text;
  struct stat opened, named;
  ASSERT_EQ(::fstat(shell->get(), &opened), 0);
  ASSERT_EQ(::stat("/bin/sh", &named), 0);
  EXPECT_EQ(opened.st_ino, named.st_ino);
  EXPECT_FALSE(S_ISLNK(opened.st_mode));
  EXPECT_TRUE(open_trusted("/"));
  EXPECT_TRUE(open_trusted("/usr/../bin/./sh"));
}

TEST_F(TrustedPath, T45_WhatNobodyElseCanMakeHangIsNear) {
  struct stat uppermost, shell;
  ASSERT_EQ(::stat("/", &uppermost), 0);
  ASSERT_EQ(::stat("/bin/sh", &shell), 0);
  if (shell.st_dev == uppermost.st_dev) {
    EXPECT_TRUE(is_near("/bin/sh")) << "through whatever links";
  }
  EXPECT_FALSE(is_near("/proc/self/status")) << "another file system";
  EXPECT_FALSE(is_near("/bin/no-such-program")) << "who knows what will be there";
  EXPECT_FALSE(is_near("bin/sh"));
}

TEST_F(TrustedPath, T45_WhatIsNearIsOpenedAndNothingElse) {
  struct stat opened, named;
  ASSERT_EQ(::stat("/bin/sh", &named), 0);
  for (const char* way : {"/bin/sh", "/usr/../bin/./sh"}) {
    const base::fd shell = open_near(way);
    ASSERT_EQ(static_cast<bool>(shell), is_near("/bin/sh")) << way;
    if (!shell) continue;
    ASSERT_EQ(::fstat(shell.get(), &opened), 0);
    EXPECT_EQ(opened.st_ino, named.st_ino) << way << " through whatever links";
  }
  std::filesystem::create_symlink("/proc/self/exe", root + "/away");
  EXPECT_FALSE(open_near(root + "/away")) << "a link into another file system";
  EXPECT_FALSE(open_near("/proc/self/status"));
  EXPECT_FALSE(open_near("/bin/no-such-program"));
  EXPECT_FALSE(open_near("bin/sh")) << "wherever xpcd is";
  EXPECT_FALSE(open_near(""));
}

TEST_F(TrustedPath, T58_ATrustedWalkMayEndWhereAnotherFileSystemBegins) {
  EXPECT_TRUE(open_trusted("/proc/sys/kernel/ostype"));
  const outcome<base::fd> away = open_trusted("/proc/sys/kernel/ostype", reach::near);
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().number, EXDEV);
}

/// What is seen where a file system in memory is mounted at that directory, and others beside it
/// and above it: bits, or 0x100 where nothing can be mounted.
int look_at_mounts(const std::string& place) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("memory", (place + "/own").c_str(), "tmpfs", 0, "mode=0755") != 0 ||
      ::mount("proc", (place + "/other").c_str(), "proc", 0, nullptr) != 0)
    return 0x100;
  std::ofstream(place + "/own/file") << "x";
  int seen = is_near(place + "/own/file") ? 1 : 0;
  seen |= open_near(place + "/own/file") ? 2 : 0;
  seen |= open_trusted(place + "/own/file", reach::near) ? 4 : 0;
  seen |= is_near(place + "/other/version") ? 8 : 0;
  seen |= is_near(place + "/own/../other/version") ? 16 : 0;
  // The way to what is above leads past what is below.
  if (::mount("memory", (place + "/other").c_str(), "tmpfs", 0, "mode=0755") != 0) return 0x100;
  std::ofstream(place + "/other/file") << "x";
  return seen | (is_near(place + "/other/file") ? 32 : 0);
}

TEST_F(TrustedPath, T45_WhatIsMountedFromThisMachinesMemoryAndDisksIsNear) {
  std::filesystem::create_directory(root + "/own");
  std::filesystem::create_directory(root + "/other");
  if (!is_root() || !is_near(root)) GTEST_SKIP() << "NOT SHOWN: mounts on what is near: needs root";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const base::fd hears(ends[0]);
  base::fd tells(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const int seen = look_at_mounts(root);
    ::_exit(::write(tells.get(), &seen, sizeof seen) == sizeof seen ? 0 : 1);
  }
  tells.reset();
  int seen = 0, status = 0;
  EXPECT_EQ(::read(hears.get(), &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  if (seen == 0x100) GTEST_SKIP() << "NOT SHOWN: nothing can be mounted here";
  EXPECT_EQ(seen, 7);
}

TEST_F(TrustedPath, T45_WhereOthersMayPutSomethingElseIsNotNear) {
  if (!is_root()) GTEST_SKIP() << "gives directories away: needs root";
  std::ofstream(root + "/file") << "x";
  const bool before = is_near(root + "/file");  // where directories of tests are on the root's
  ASSERT_EQ(::chown(root.c_str(), 65534, 65534), 0);
  EXPECT_FALSE(is_near(root + "/file"));
  ASSERT_EQ(::chown(root.c_str(), 0, 0), 0);
  EXPECT_EQ(is_near(root + "/file"), before);
}

TEST_F(TrustedPath, T58_WhatIsNotRootsIsRefusedByName) {
  if (is_root()) {
    ASSERT_EQ(::chown(root.c_str(), 65534, 65534), 0);
  }
  std::ofstream(root + "/file") << "x";
  outcome<base::fd> file = open_trusted(root + "/file");
  const uid_t owner = is_root() ? 65534 : ::geteuid();
  if (is_root()) {
    ASSERT_EQ(::chown(root.c_str(), 0, 0), 0);
  }
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().text, root + ": belongs to uid " + std::to_string(owner) +
                                   ", in the system domain it must be root's");
  EXPECT_EQ(file.error().number, EPERM);
}

TEST_F(TrustedPath, T58_WhatOthersMayWriteIsRefusedUnlessSticky) {
  if (!is_root()) GTEST_SKIP() << "only root's files get that far";
  std::ofstream(root + "/file") << "x";
  EXPECT_TRUE(open_trusted(root + "/file")) << "in /tmp, which is sticky";
  ASSERT_EQ(::chmod(root.c_str(), 0770), 0);
  outcome<base::fd> file = open_trusted(root + "/file");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().text.find(root + ": others than root may write there"), std::string::npos);
  ASSERT_EQ(::chmod(root.c_str(), 01770), 0);
  EXPECT_TRUE(open_trusted(root + "/file"));
  ASSERT_EQ(::chmod((root + "/file").c_str(), 01666), 0);
  EXPECT_FALSE(open_trusted(root + "/file")) << "the bit says nothing about a file";
}

TEST_F(TrustedPath, T58_LinksOfOthersAreRefused) {
  if (!is_root()) GTEST_SKIP() << "only root's files get that far";
  std::filesystem::create_symlink("/bin/sh", root + "/link");
  EXPECT_TRUE(open_trusted(root + "/link"));
  ASSERT_EQ(::lchown((root + "/link").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(open_trusted(root + "/link"));
  std::filesystem::create_symlink("loop", root + "/loop");
  EXPECT_EQ(open_trusted(root + "/loop").error().number, ELOOP);
}

TEST_F(TrustedPath, T58_NothingLeadsOutOfAnotherRoot) {
  if (!is_root()) GTEST_SKIP() << "only root's files get that far";
  namespace fs = std::filesystem;
  fs::create_directories(root + "/jail/etc/deep");
  std::ofstream(root + "/secret") << "x";
  std::ofstream(root + "/jail/secret") << "inside";
  fs::create_symlink("/secret", root + "/jail/etc/deep/absolute");
  fs::create_symlink("../../../../../secret", root + "/jail/etc/deep/relative");
  const base::fd jail(::open((root + "/jail").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat inside, found;
  ASSERT_EQ(::stat((root + "/jail/secret").c_str(), &inside), 0);
  for (const char* path : {"/secret", "/../secret", "/etc/../../../secret", "/etc/deep/absolute",
                           "/etc/deep/relative", "/etc/deep/../deep/relative"}) {
    outcome<base::fd> file = open_trusted_in(jail.get(), path);
    ASSERT_TRUE(file) << path << file.error().text;
    ASSERT_EQ(::fstat(file->get(), &found), 0);
    EXPECT_EQ(found.st_ino, inside.st_ino) << path;
  }
  EXPECT_EQ(open_trusted_in(jail.get(), root + "/secret").error().number, ENOENT);
  EXPECT_EQ(open_trusted_in(jail.get(), "/secret/../secret").error().number, ENOTDIR);
}

TEST_F(TrustedPath, WhatIsNotThereIsSaidWithThePlace) {
  EXPECT_EQ(open_trusted("/no-such-thing/x").error().text,
            "/no-such-thing: No such file or directory");
  EXPECT_FALSE(open_trusted("relative"));
  std::string name;
  EXPECT_TRUE(open_trusted_parent("/bin/sh", &name));
  EXPECT_EQ(name, "sh");
  EXPECT_TRUE(open_trusted_parent("/sh", &name));
}

}  // namespace
}  // namespace openxpc::supervise
