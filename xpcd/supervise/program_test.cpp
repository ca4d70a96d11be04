#include "supervise/program.hpp"

#include "supervise/process.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace openxpc::supervise {
namespace {

const std::string path_variable = "/usr/bin:/bin";

class Program : public ::testing::Test {
 protected:
  void SetUp() override { root_ = xpc_testing::runtime_directory(); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) {
    const std::string path = root_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string root_;
};

TEST_F(Program, ElfFilesKeepTheirArguments) {
  outcome<program> found = open_program("/bin/sh", {"shell", "-c", "true"}, path_variable);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->arguments, (std::vector<std::string>{"shell", "-c", "true"}));
}

TEST_F(Program, PlainNamesAreLookedForInThePath) {
  EXPECT_TRUE(open_program("sh", {}, path_variable));
  outcome<program> none = open_program("no-such-program", {}, path_variable);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, trouble::kind::not_found);
  EXPECT_EQ(none.error().text, "no-such-program: no such program in /usr/bin:/bin");
}

TEST_F(Program, ScriptsAreStartedThroughTheirInterpreterByCanonicalPath) {
  const std::string script = write("script", "#! /bin/sh  -eu \necho\n");
  std::filesystem::create_symlink(script, root_ + "/link");
  outcome<program> found = open_program(root_ + "/link", {"anything", "one"}, path_variable);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->arguments, (std::vector<std::string>{"/bin/sh", "-eu", script, "one"}));
}

TEST_F(Program, T45_AnInterpreterOnAnotherFileSystemIsFoundAsWell) {
  const std::string script = write("script", "#!/proc/self/exe -x\n");
  outcome<program> found = open_program(script, {"anything"}, path_variable);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->arguments, (std::vector<std::string>{"/proc/self/exe", "-x", script}));
  struct stat opened, own;
  ASSERT_EQ(::fstat(found->file.get(), &opened), 0);
  ASSERT_EQ(::stat("/proc/self/exe", &own), 0);
  EXPECT_EQ(opened.st_ino, own.st_ino);
}

TEST_F(Program, WhatIsCalledDeletedKeepsItsName) {
  const std::string script = write("script (deleted)", "#!/bin/sh\n");
  outcome<program> found = open_program(script, {}, path_variable);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->path, std::filesystem::canonical(script));
  EXPECT_EQ(found->arguments.back(), found->path);
}

TEST_F(Program, EachFaultIsNamedWithThePath) {
  struct {
    std::string path, text;
  } const cases[] = {
      {root_ + "/missing", root_ + "/missing: No such file or directory"},
      {root_, root_ + ": is not a regular file"},
      {write("plain", "#!/bin/sh\n", 0644), root_ + "/plain: is not executable"},
      {write("words", "hello"), root_ + "/words: is neither an ELF file nor a script"},
      {write("lost", "#!/no/such/sh\n"),
       root_ + "/lost: interpreter /no/such/sh: No such file or directory"},
      {write("relative", "#!sh\n"), root_ + "/relative: its first line names no interpreter"},
      {write("empty_line", "#!\n"), root_ + "/empty_line: its first line names no interpreter"},
      {"./here", "./here: the path of a program is absolute"},
      {"", "the program has no name"},
  };
  for (const auto& one : cases) {
    outcome<program> refused = open_program(one.path, {}, path_variable);
    ASSERT_FALSE(refused) << one.path;
    EXPECT_EQ(refused.error().text.compare(0, one.text.size(), one.text), 0)
        << refused.error().text;
  }
}

TEST(Process, StartTimeIsReadBehindANameFullOfBrackets) {
  const std::string text =
      "42 (a ) b) (c)) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
  EXPECT_EQ(parse_start_ticks(text.data(), text.size()), 987654u);
  EXPECT_FALSE(parse_start_ticks("", 0));
  EXPECT_FALSE(parse_start_ticks("42 (x) S", 8));
}

TEST(Process, ThisProcessIsFoundAndAnotherStartTimeIsNot) {
  process_id me;
  me.pid = ::getpid();
  me.start_ticks = *start_ticks_of(me.pid);
  me.pidfd_inode = inode_of(open_pidfd(me.pid).get());
  EXPECT_TRUE(open_process(me));
  ++me.start_ticks;
  EXPECT_FALSE(open_process(me));
}

}  // namespace
}  // namespace openxpc::supervise
