#include "supervise/mount_watcher.hpp"

#include <gtest/gtest.h>

namespace openxpc::supervise {
namespace {

using texts = std::set<std::string>;

TEST(MountWatcher, AMountIsKnownByWhatLasts) {
  EXPECT_EQ(mounts_in("22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                      "36 22 98:0 /mnt1 /mnt2 rw master:1 - ext3 /dev/root rw,errors=continue\n"),
            (texts{"22 1 0:21 / /", "36 22 98:0 /mnt1 /mnt2"}));
  EXPECT_EQ(mounts_in("22 1 0:21 / / ro - ext4 /dev/root ro\n"), texts{"22 1 0:21 / /"})
      << "a remount is none";
}

TEST(MountWatcher, WhatIsNoMountIsPassedOver) {
  EXPECT_EQ(mounts_in(""), texts{});
  EXPECT_EQ(mounts_in("\n\n22 1 0:21\n"), texts{});
  EXPECT_EQ(mounts_in("1 2 3 / /x rw"), texts{"1 2 3 / /x"}) << "without an end of line";
}

}  // namespace
}  // namespace openxpc::supervise
