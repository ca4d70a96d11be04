#include "supervise/journal_output.hpp"

#include "base/fd.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace openxpc::supervise {
namespace {

struct JournalOutput : public ::testing::Test {
  const std::string path = xpc_testing::runtime_directory() + "/x.err";
  const base::fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  void SetUp() override { ASSERT_EQ(::write(file.get(), "one\n", 4), 4); }
};

TEST_F(JournalOutput, ALineWithoutANoteIsToldOnceMore) {
  if (::fsetxattr(file.get(), "user.test", "", 0, 0) < 0 && errno == ENOTSUP)
    GTEST_SKIP() << "the file system has no attributes";
  begin_telling(file.get());
  EXPECT_EQ(told_part_of(file.get()), 0);
}

TEST_F(JournalOutput, WhereNotesCannotBeKeptAllCountsAsTold) {
  EXPECT_EQ(told_part_of(file.get()), 4);
}

TEST_F(JournalOutput, ALineThatNamesItsPriorityHasIt) {
  EXPECT_EQ(parse_journal_line("<3>two").priority, 3);
  EXPECT_EQ(parse_journal_line("<3>two").text, "two");
  EXPECT_EQ(parse_journal_line("<9>two").priority, 6);
  EXPECT_EQ(parse_journal_line("<9>two").text, "<9>two");
}

}  // namespace
}  // namespace openxpc::supervise
