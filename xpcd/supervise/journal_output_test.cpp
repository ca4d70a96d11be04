#include "supervise/journal_output.hpp"

#include "supervise/output.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::supervise {
namespace {

class JournalOutput : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_.reset(
        ::open(xpc_testing::runtime_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    outcome<base::fd> opened = open_kept_output(directory_.get(), "x.err");
    ASSERT_TRUE(opened);
    file_ = std::move(*opened);
    ASSERT_EQ(::write(file_.get(), "one\n", 4), 4);
  }
  base::fd directory_, file_;
};

TEST_F(JournalOutput, ALineWithoutANoteIsToldOnceMore) {
  if (::fsetxattr(file_.get(), "user.test", "", 0, 0) < 0 && errno == ENOTSUP)
    GTEST_SKIP() << "the file system has no attributes";
  begin_telling(file_.get());
  EXPECT_EQ(told_part_of(file_.get()), 0);
}

TEST_F(JournalOutput, WhereNotesCannotBeKeptAllCountsAsTold) {
  EXPECT_EQ(told_part_of(file_.get()), 4);
}

TEST_F(JournalOutput, ALineThatNamesItsPriorityHasIt) {
  EXPECT_EQ(parse_journal_line("<3>two").priority, 3);
  EXPECT_EQ(parse_journal_line("<3>two").text, "two");
  EXPECT_EQ(parse_journal_line("<9>two").priority, 6);
  EXPECT_EQ(parse_journal_line("<9>two").text, "<9>two");
}

}  // namespace
}  // namespace openxpc::supervise
