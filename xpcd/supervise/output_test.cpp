#include "supervise/output.hpp"

#include "supervise/run_state.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

namespace openxpc::supervise {
namespace {

using lines = std::vector<std::string>;

class Output : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_.reset(
        ::open(xpc_testing::runtime_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    outcome<base::fd> opened = open_kept_output(directory_.get(), "x.err");
    ASSERT_TRUE(opened);
    file_ = std::move(*opened);
  }
  void print(const std::string& text) {
    ASSERT_EQ(::write(file_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  base::fd directory_, file_;
};

TEST_F(Output, LastLinesWithAndWithoutNewlineAtTheEnd) {
  EXPECT_EQ(last_lines(file_.get(), 3), lines{});
  print("one\ntwo\nthree\nfour");
  EXPECT_EQ(last_lines(file_.get(), 3), (lines{"two", "three", "four"}));
  print("\n");
  EXPECT_EQ(last_lines(file_.get(), 9), (lines{"one", "two", "three", "four"}));
}

TEST_F(Output, ALineThatIsCutSaysSo) {
  print(std::string(100, 'a') + "\nend\n");
  EXPECT_EQ(last_lines(file_.get(), 5, 14), (lines{"...aaaaaaaaa", "end"}));
}

TEST_F(Output, T69_TerminalCodesAreMadeVisible) {
  print("\x1b[2Jhello\n");
  EXPECT_EQ(last_lines(file_.get(), 1), (lines{"\\x1b[2Jhello"}));
}

TEST_F(Output, TrimmedOutputKeepsItsEndAndGivesMemoryBack) {
  for (int i = 0; i < 10000; ++i) print("this is line number " + std::to_string(i) + " of many\n");
  struct stat before, after;
  ::fstat(file_.get(), &before);
  trim_kept_output(file_.get(), 65536);
  ::fstat(file_.get(), &after);
  EXPECT_LT(after.st_blocks * 512, 65536);
  EXPECT_GT(before.st_blocks, after.st_blocks);
  EXPECT_EQ(last_lines(file_.get(), 1), (lines{"this is line number 9999 of many"}));
  trim_kept_output(file_.get(), 4096);
  EXPECT_EQ(last_lines(file_.get(), 1), (lines{"this is line number 9999 of many"}));
  EXPECT_EQ(last_lines(file_.get(), 100000, 1 << 20).front().find("number 0 "), std::string::npos);
}

TEST_F(Output, T58_OutputPathsAreNotFollowedThroughALink) {
  const std::string root = xpc_testing::runtime_directory();
  std::filesystem::create_symlink(root + "/target", root + "/link");
  outcome<base::fd> refused = open_output_path(root + "/link");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, trouble::kind::denied);
  EXPECT_FALSE(std::filesystem::exists(root + "/target"));
  EXPECT_TRUE(open_output_path(root + "/plain"));
  EXPECT_EQ(open_output_path(root + "/no/where").error().text,
            root + "/no/where: No such file or directory");
}

TEST(RunState, ProcessesAreReadAndGarbageIsNot) {
  std::optional<saved_run> run = parse_run("42 1000 7 3\n");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->id.pid, 42);
  EXPECT_EQ(run->id.start_ticks, 1000u);
  EXPECT_EQ(run->id.pidfd_inode, 7u);
  EXPECT_EQ(run->generation, 3u);
  for (const char* bad : {"", "42", "42 1 2 3", "42 1 2 3\nx", "-1 1 2 3\n", "0 1 2 3\n",
                          "a 1 2 3\n", "42  1 2 3\n"}) {
    EXPECT_FALSE(parse_run(bad)) << bad;
  }
}

TEST(RunState, JobsComeBackAsTheyWereSaved) {
  base::fd directory(
      ::open(xpc_testing::runtime_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  run_state state(directory.get());
  saved_job job;
  job.description = new_dictionary();
  set(job.description.get(), "Label", "org.example");
  job.origin = "/etc/x.plist";
  job.generation = 4;
  job.quick_ends = 2;
  job.started = base::instant(std::chrono::nanoseconds(123456789));
  EXPECT_FALSE(state.save("org.example", job));
  EXPECT_FALSE(state.save("another", job));
  EXPECT_EQ(state.labels(), (std::vector<std::string>{"another", "org.example"}));
  outcome<saved_job> back = state.load("org.example");
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_TRUE(::xpc_equal(back->description.get(), job.description.get()));
  EXPECT_EQ(back->origin, job.origin);
  EXPECT_EQ(back->generation, 4u);
  EXPECT_EQ(back->quick_ends, 2u);
  EXPECT_EQ(back->started, job.started);
  state.forget("org.example");
  EXPECT_EQ(state.labels(), (std::vector<std::string>{"another"}));
  EXPECT_FALSE(state.load("org.example"));
}

TEST(RunState, ABrokenFileIsAnErrorThatNamesIt) {
  const std::string root = xpc_testing::runtime_directory();
  base::fd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  base::fd file(::openat(directory.get(), "x.job", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "garbage", 7), 7);
  outcome<saved_job> broken = run_state(directory.get()).load("x");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().text.find("x.job"), std::string::npos);
}

}  // namespace
}  // namespace openxpc::supervise
