#include "supervise/unserved.hpp"

#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace openxpc::supervise {
namespace {

class UnservedNames : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const {
    std::stringstream all;
    all << std::ifstream(root + "/.why/" + name).rdbuf();
    return all.str();
  }
  const std::string root = xpc_testing::runtime_directory();
  const base::fd directory{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(UnservedNames, TheReasonIsLeftForClientsAsLongAsItHolds) {
  {
    unserved_names all(directory.get());
    EXPECT_FALSE(std::filesystem::exists(root + "/.why")) << "only when it is needed";
    all.note({"a.one", "a.two"}, "a", "is disabled\nand\tmore");
    all.note({"b"}, "b", "is not for this domain");
    EXPECT_EQ(all.why("a.one"), "is disabled;and?more");
    EXPECT_EQ(file("a.two"), "a\nis disabled;and?more\n");
    all.serve({"a.one", "never.heard.of"});
    EXPECT_EQ(all.why("a.one"), "");
    EXPECT_FALSE(std::filesystem::exists(root + "/.why/a.one"));
    all.note({"a.two"}, "a", "is something else");
    EXPECT_EQ(file("a.two"), "a\nis something else\n");
    all.forget_label("a");
    EXPECT_EQ(all.why("a.two"), "");
    EXPECT_EQ(all.why("b"), "is not for this domain");
  }
  EXPECT_FALSE(std::filesystem::exists(root + "/.why")) << "nothing is left behind";
}

TEST_F(UnservedNames, AReasonIsForgottenWhereItIsTheReason) {
  unserved_names all(directory.get());
  const std::string reason = "/d/a was not loaded\n" + std::string(1000, 'x');
  all.note({"a.one", "a.two"}, "a", reason);
  all.note({"a.two"}, "b", "is something else");
  all.forget({"a.one", "a.two", "never.heard.of"}, reason);
  EXPECT_EQ(all.why("a.one"), "");
  EXPECT_FALSE(std::filesystem::exists(root + "/.why/a.one"));
  EXPECT_EQ(all.why("a.two"), "is something else");
}

TEST_F(UnservedNames, AReasonForAnyNameIsLeftBesideThose) {
  {
    unserved_names all(directory.get());
    all.note_any("a file\ncannot be read");
    EXPECT_EQ(file(".any"), "\na file;cannot be read\n");
    EXPECT_EQ(all.why("a.one"), "") << "it is nothing that is known of a name";
    all.note_any("two cannot");
    EXPECT_EQ(file(".any"), "\ntwo cannot\n");
    all.note_any("");
    EXPECT_FALSE(std::filesystem::exists(root + "/.why/.any"));
    all.note_any("three cannot");
    struct stat found{};
    ASSERT_EQ(::stat((root + "/.why").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0711u) << "nobody else lists the names";
  }
  EXPECT_FALSE(std::filesystem::exists(root + "/.why")) << "nothing is left behind";
}

TEST_F(UnservedNames, AnXpcdThatComesAfterOneThatWasKilledKnowsThem) {
  std::filesystem::create_directory(root + "/.why");
  std::ofstream(root + "/.why/a.one") << "a\nis disabled\n";
  std::ofstream(root + "/.why/half") << "no more than that";
  std::ofstream(root + "/.why/.a.two.new") << "a\nwas being written\n";
  std::ofstream(root + "/.why/.any") << "\nwas so once\n";
  {
    unserved_names all(directory.get());
    EXPECT_EQ(all.why("a.one"), "is disabled");
    EXPECT_EQ(all.why("half"), "");
    EXPECT_FALSE(std::filesystem::exists(root + "/.why/.any")) << "until it is said again";
    all.forget_label("a");
    EXPECT_FALSE(std::filesystem::exists(root + "/.why/a.one"));
  }
  EXPECT_FALSE(std::filesystem::exists(root + "/.why"));
}

TEST_F(UnservedNames, ThereIsABoundToThem) {
  unserved_names all(directory.get());
  for (int each = 0; each < 1001; ++each) {
    all.note({"n" + std::to_string(each)}, "l", std::string(5000, 'x'));
  }
  EXPECT_EQ(all.why("n999").size(), 903u);
  EXPECT_EQ(all.why("n1000"), "");
  all.note({"n5"}, "l", "known ones change");
  EXPECT_EQ(all.why("n5"), "known ones change");
}

}  // namespace
}  // namespace openxpc::supervise
