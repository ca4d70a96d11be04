// The files of tests/data/plist, which the fuzzer starts from, too.

#include "plist/dump_test.hpp"
#include "plist/read.hpp"
#include "plist/write.hpp"
#include "support/places.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace openxpc::plist {
namespace {

const std::string data = std::string(xpc_testing::data_folder) + "/plist/";

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

std::size_t count_files(const std::string& directory) {
  std::filesystem::directory_iterator files(directory);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(PlistCorpus, GoodListsSurviveBothNotations) {
  std::string complete;
  for (const char* name : {"complete.xml", "complete.bplist", "complete.json", "job.plist"}) {
    std::string text = content_of(data + "good/" + name);
    node tree;
    auto wrong = read_any(base::as_bytes(text), tree);
    ASSERT_FALSE(wrong) << describe(*wrong, name);
    if (std::string_view(name) == "complete.xml") complete = dump(tree);
    if (std::string_view(name) == "complete.bplist") {
      EXPECT_EQ(dump(tree), complete);
    }
    if (std::string_view(name) == "complete.json") continue;  // it has a null
    node back;
    ASSERT_FALSE(write_xml(tree, text));
    ASSERT_FALSE(read_xml(text, back));
    EXPECT_EQ(dump(back), dump(tree));
    ASSERT_FALSE(write_binary(tree, text));
    ASSERT_FALSE(read_binary(base::as_bytes(text), back));
    EXPECT_EQ(dump(back), dump(tree));
  }
  EXPECT_EQ(count_files(data + "good"), 4u);
}

TEST(PlistCorpus, T63_HostileListsAreRefusedWithPlaceAndReason) {
  std::istringstream table(content_of(data + "hostile.txt"));
  std::size_t count = 0;
  for (std::string line; std::getline(table, line); ++count) {
    std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    std::string text = content_of(data + "hostile/" + line.substr(0, tab));
    node tree;
    auto wrong = read_any(base::as_bytes(text), tree);
    ASSERT_TRUE(wrong) << line;
    EXPECT_EQ(describe(*wrong, ""), line.substr(tab + 1));
  }
  EXPECT_EQ(count_files(data + "hostile"), count);
}

TEST(PlistCorpus, T63_EveryPrefixOfAListIsRefused) {
  for (const char* name : {"complete.xml", "complete.bplist"}) {
    std::string text = content_of(data + "good/" + name);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (std::size_t size = 0; size < text.size(); ++size) {
      node tree;
      auto wrong = read_any(base::as_bytes(std::string_view(text).substr(0, size)), tree);
      ASSERT_TRUE(wrong) << name << " cut after " << size << " bytes";
      EXPECT_LE(wrong->at.offset, size);
    }
  }
}

}  // namespace
}  // namespace openxpc::plist
