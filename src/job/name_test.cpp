#include "job/name.hpp"

#include <gtest/gtest.h>

using openxpc::job::wrong_with_name;

TEST(JobName, AcceptsWhatTheRuleAllows) {
  for (const char* good : {"a", "org.example.echo", "A-Z_09", "x..y", "-", "_"}) {
    EXPECT_FALSE(wrong_with_name(good)) << good;
  }
  EXPECT_FALSE(wrong_with_name(std::string(80, 'n')));
}

TEST(JobName, RefusesWithThePosition) {
  EXPECT_EQ(*wrong_with_name("ab/cd"), "'/' at position 3 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(*wrong_with_name("\n"), "byte 0x0a at position 1 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(*wrong_with_name(std::string_view("a\0b", 3)),
            "byte 0x00 at position 2 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_NE(wrong_with_name("\xc3\xa4")->find("byte 0xc3 at position 1"), std::string::npos);
  EXPECT_NE(wrong_with_name(".hidden")->find("position 1"), std::string::npos);
  EXPECT_NE(wrong_with_name("..")->find("dot"), std::string::npos);
}

TEST(JobName, RefusesEmptyAndTooLong) {
  EXPECT_TRUE(wrong_with_name(""));
  EXPECT_EQ(*wrong_with_name(std::string(81, 'n')), "a name has at most 80 bytes, this one has 81");
}
