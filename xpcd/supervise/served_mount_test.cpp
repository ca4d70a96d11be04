#include "supervise/served_mount.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

TEST(ServedMount, IsTheOneThatThePathLiesBelow) {
  const std::string_view table =
      "22 1 8:1 / / rw - ext4 /dev/vda rw\n"
      "30 22 0:40 / /home/a rw,nosuid shared:4 - fuse.sshfs host: rw\n"
      "31 30 0:41 / /home/a/tmp rw - tmpfs none rw\n"
      "32 22 0:42 / /net\\040work rw master:1 - nfs4 host:/ rw\n"
      "33 22 0:43 / /over rw - fuse x rw\n"
      "34 33 0:44 / /over rw - tmpfs none rw\n"
      "too short\n";
  EXPECT_EQ(served_mount_of(table, "/home/a/program"), "/home/a");
  EXPECT_EQ(served_mount_of(table, "/home/a"), "/home/a");
  EXPECT_EQ(served_mount_of(table, "/home/ab"), "");
  EXPECT_EQ(served_mount_of(table, "/home/a/tmp/x"), "") << "another one is mounted on it";
  EXPECT_EQ(served_mount_of(table, "/net work/x"), "/net work");
  EXPECT_EQ(served_mount_of(table, "/over/x"), "") << "covered by another";
  EXPECT_EQ(served_mount_of(table, "/bin/sh"), "");
}

TEST(ServedMount, MayBeTheRootOfAll) {
  const std::string_view table =
      "22 1 0:20 / / rw - nfs host:/ rw\n"
      "23 22 0:21 / /run rw - tmpfs none rw\n";
  EXPECT_EQ(served_mount_of(table, "/bin/sh"), "/");
  EXPECT_EQ(served_mount_of(table, "/run/x"), "");
}

TEST(ServedMount, ThisMachinesOwnIsToldByEverythingMountedAtThatPath) {
  const std::string_view table =
      "22 1 8:1 / / rw - ext4 /dev/vda rw\n"
      "23 22 8:2 / /home rw - btrfs /dev/vdb rw\n"
      "24 22 0:21 / /tmp rw - tmpfs none rw\n"
      "25 22 0:22 / /dev rw - devtmpfs none rw\n"
      "26 22 0:23 / /boot rw - autofs systemd-1 rw\n"
      "27 26 8:3 / /boot rw - ext4 /dev/vdc rw\n"
      "28 22 0:24 / /mnt rw - fuseblk /dev/vdd rw\n"
      "29 22 0:25 / /var rw - overlay none rw\n";
  for (const char* own : {"/", "/home", "/tmp"}) EXPECT_TRUE(is_own_mount(table, own)) << own;
  for (const char* other : {"/dev", "/boot", "/mnt", "/var"})
    EXPECT_FALSE(is_own_mount(table, other)) << other;
  for (const char* none : {"/home/a", "/hom", "", "/home/"})
    EXPECT_FALSE(is_own_mount(table, none)) << none;
}

}  // namespace
}  // namespace openxpc::supervise
