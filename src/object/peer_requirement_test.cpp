#include "object/peer_requirement.hpp"

#include "object/dictionary.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

#include <gtest/gtest.h>

namespace {

using namespace openxpc;
using object::peer_requirement;

std::string wrong_with(std::string_view text) {
  std::string why;
  auto made = peer_requirement::language(text, why);
  EXPECT_EQ(made == nullptr, !why.empty());
  return why;
}

TEST(PeerRequirement, TextWithMatchingQuotesAndParenthesesIsTaken) {
  for (const char* text :
       {"anchor apple", "identifier \"org.example.x\" and (anchor trusted or cdhash H\"ab\")",
        "certificate leaf[subject.OU] = \"AB\\\"(C\"", "entitlement[\"a b\"] exists"})
    EXPECT_EQ(wrong_with(text), "") << text;
}

TEST(PeerRequirement, TextThatCannotBeOneIsRefusedWithTheReason) {
  EXPECT_EQ(wrong_with(" \n"), "the requirement is empty");
  EXPECT_EQ(wrong_with("identifier \"x"), "the quote at position 11 is not closed");
  EXPECT_EQ(wrong_with("identifier \"x\\\""), "the quote at position 11 is not closed");
  EXPECT_EQ(wrong_with("identifier \"x\\"), "the quote at position 11 is not closed");
  EXPECT_EQ(wrong_with("(anchor apple"), "a parenthesis is not closed");
  EXPECT_EQ(wrong_with("anchor apple) or ("), "nothing is open before position 12");
  EXPECT_EQ(wrong_with("\xff"), "the requirement is not UTF-8");
  EXPECT_EQ(wrong_with(std::string(65537, 'a')), "the requirement is longer than 65536 bytes");
}

TEST(PeerRequirement, AnEntitlementsValueHasOneOfThreeTypes) {
  std::string why;
  auto text = object::string::copy_of("v");
  EXPECT_TRUE(peer_requirement::entitlement("e", *object::the_bool(true), why));
  EXPECT_TRUE(peer_requirement::entitlement("e", *object::make_int64(1), why));
  EXPECT_TRUE(peer_requirement::entitlement("e", *text, why));
  EXPECT_EQ(why, "");
  EXPECT_FALSE(peer_requirement::entitlement("e", *object::make_uint64(1), why));
  EXPECT_EQ(why, "an entitlement's value is a bool, string or int64, no uint64");
}

TEST(PeerRequirement, ALightweightOneIsADictionaryWithConditions) {
  std::string why;
  auto conditions = object::dictionary::create();
  EXPECT_FALSE(peer_requirement::lightweight(*conditions, why));
  EXPECT_EQ(why, "the lightweight code requirement has no condition");
  conditions->set("team-identifier", object::string::copy_of("T"));
  why.clear();
  EXPECT_TRUE(peer_requirement::lightweight(*conditions, why));
  EXPECT_FALSE(peer_requirement::lightweight(*object::the_null(), why));
}

}  // namespace
