#include "supervise/low_descriptors.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace openxpc::supervise {
namespace {

ino_t inode_at(int number) {
  struct stat status{};
  return ::fstat(number, &status) == 0 ? status.st_ino : 0;
}

TEST(LowDescriptors, WhatIsBorrowedStandsBelowTheEndAndIsLetGoOf) {
  low_descriptors room(4);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  base::fd read_end(ends[0]);
  const base::fd write_end(ends[1]);
  int first = read_end.get(), none = -1, second = write_end.get();
  ASSERT_TRUE(room.borrow({&first, &none, &second}));
  EXPECT_EQ(none, -1);
  EXPECT_LT(first, room.end());
  EXPECT_LT(second, room.end());
  EXPECT_EQ(inode_at(first), inode_at(read_end.get()));
  EXPECT_EQ(::fcntl(first, F_GETFD), FD_CLOEXEC);
  room.give_back();
  read_end.reset();
  EXPECT_EQ(::fcntl(first, F_GETFD), FD_CLOEXEC) << "the number stays ours";
  EXPECT_NE(inode_at(first), inode_at(write_end.get()));
  // A duplicate of the end that reads would keep the other one from noticing.
  pollfd look{write_end.get(), POLLOUT, 0};
  ASSERT_EQ(::poll(&look, 1, 0), 1);
  EXPECT_TRUE(look.revents & POLLERR);
}

TEST(LowDescriptors, WhatDoesNotFitIsLeftAlone) {
  low_descriptors room(2);
  int all[] = {0, 0, 0};
  ASSERT_FALSE(room.borrow({&all[0], &all[1], &all[2]}));
  for (const int one : all) EXPECT_EQ(one, 0);
  EXPECT_TRUE(room.borrow({&all[0], &all[1]}));
  room.give_back();
}

}  // namespace
}  // namespace openxpc::supervise
