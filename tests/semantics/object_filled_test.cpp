// Dictionaries that are made of all their entries at once must be those that are written one by
// one.
#include <xpc/openxpc/value.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::owned;

namespace {

class filling {
 public:
  openxpc_value_t& add(const std::string& key, openxpc_type_t type) {
    keys_.push_back(std::make_unique<std::string>(key));
    values_.push_back(std::make_unique<openxpc_value_t>());
    values_.back()->type = type;
    values_.back()->borrowed_fd = -1;
    entries_.push_back({keys_.back()->data(), keys_.back()->size(), values_.back().get(), nullptr});
    return *values_.back();
  }
  void add(const std::string& key, std::int64_t number) {
    add(key, OPENXPC_TYPE_INT64).as.int64 = number;
  }
  void add_text(const std::string& key, const std::string& text) {
    keys_.push_back(std::make_unique<std::string>(text));
    const std::string& kept = *keys_.back();
    openxpc_value_t& value = add(key, OPENXPC_TYPE_STRING);
    value.as.text = kept.data();
    value.size = kept.size();
  }
  void add_object(const std::string& key, xpc_object_t object) {
    add(key, OPENXPC_TYPE_NONE);
    entries_.back().object = object;
  }

  owned at_once() const {
    return owned(::openxpc_dictionary_create_with(entries_.data(), entries_.size()));
  }
  owned one_by_one() const {
    owned made(::openxpc_dictionary_create());
    for (const openxpc_entry_t& each : entries_) {
      if (each.object)
        ::openxpc_dictionary_set_value(made, each.key, each.key_length, each.object);
      else
        ::openxpc_dictionary_write(made, each.key, each.key_length, each.value);
    }
    return made;
  }
  void expect_the_same() const {
    owned filled = at_once(), written = one_by_one();
    EXPECT_EQ(::xpc_dictionary_get_count(filled), ::xpc_dictionary_get_count(written));
    EXPECT_TRUE(::xpc_equal(filled, written));
    owned got = arrived(filled);
    EXPECT_TRUE(::xpc_equal(got, written)) << "and after its journey";
  }

 private:
  std::vector<std::unique_ptr<std::string>> keys_;
  std::vector<std::unique_ptr<openxpc_value_t>> values_;
  std::vector<openxpc_entry_t> entries_;
};

/// One of each plain type.
filling plain() {
  static const std::array<unsigned char, 16> uuid{1, 2, 3};
  filling all;
  all.add("int64", -5);
  all.add("uint64", OPENXPC_TYPE_UINT64).as.uint64 = UINT64_MAX;
  all.add("real", OPENXPC_TYPE_DOUBLE).as.real = 0.5;
  all.add("true", OPENXPC_TYPE_BOOL).as.boolean = true;
  all.add("false", OPENXPC_TYPE_BOOL).as.boolean = false;
  all.add("date", OPENXPC_TYPE_DATE).as.int64 = -1;
  all.add("uuid", OPENXPC_TYPE_UUID).as.bytes = uuid.data();
  all.add_text("text", "caf\u00e9");
  all.add_text("", "an empty key");
  all.add_text("empty", "");
  openxpc_value_t& bytes = all.add("data", OPENXPC_TYPE_DATA);
  bytes.as.bytes = "a\0b";
  bytes.size = 3;
  all.add("no data", OPENXPC_TYPE_DATA).as.bytes = nullptr;
  return all;
}

TEST(OpenxpcFilled, PlainEntriesAreWhatTheyAreOneByOne) {
  filling().expect_the_same();
  plain().expect_the_same();
}

TEST(OpenxpcFilled, OfEqualKeysTheLastOneStaysAndNoneRemoves) {
  filling all;
  all.add("a", 1);
  all.add("b", 2);
  all.add("a", 3);
  all.add("b", OPENXPC_TYPE_NONE);
  all.add("c", OPENXPC_TYPE_NONE);
  all.expect_the_same();
  owned made = all.at_once();
  EXPECT_EQ(::xpc_dictionary_get_count(made), 1u);
  EXPECT_EQ(::xpc_dictionary_get_int64(made, "a"), 3);
}

TEST(OpenxpcFilled, ObjectsAreSharedAndDescriptorsDuplicated) {
  owned list(::xpc_array_create_empty());
  filling all = plain();
  all.add_object("list", list);
  all.add("null", OPENXPC_TYPE_NULL);
  all.add("file", OPENXPC_TYPE_FD).borrowed_fd = STDIN_FILENO;
  owned made = all.at_once();
  EXPECT_EQ(::xpc_dictionary_get_value(made, "list"), static_cast<xpc_object_t>(list));
  EXPECT_EQ(::xpc_get_type(::xpc_dictionary_get_value(made, "null")), XPC_TYPE_NULL);
  int file = -1;
  EXPECT_EQ(::openxpc_dictionary_get_fd_if(made, "file", 4, &file), OPENXPC_FOUND);
  EXPECT_NE(file, STDIN_FILENO);
  EXPECT_EQ(::xpc_dictionary_get_count(made), ::xpc_dictionary_get_count(plain().at_once()) + 3);
}

TEST(OpenxpcFilled, ManyAndLargeEntriesArriveToo) {
  filling many;
  for (int i = 0; i < 100; ++i) many.add("key " + std::to_string(i), i);
  many.expect_the_same();
  filling large;
  for (int i = 0; i < 9; ++i) large.add_text("key " + std::to_string(i), std::string(2000, 'x'));
  large.add_text("more", std::string(70'000, 'y'));
  large.expect_the_same();
}

TEST(OpenxpcFilled, WhatFollowsChangesItLikeAnyOther) {
  owned made = plain().at_once();
  owned lent = plain().at_once();
  const char* text = ::xpc_dictionary_get_string(lent, "text");
  for (xpc_object_t each : {static_cast<xpc_object_t>(made), static_cast<xpc_object_t>(lent)}) {
    ::xpc_dictionary_set_int64(each, "int64", 6);
    ::xpc_dictionary_set_string(each, "one more", "text");
    ::xpc_dictionary_set_value(each, "true", nullptr);
    EXPECT_EQ(::xpc_dictionary_get_int64(each, "int64"), 6);
    EXPECT_STREQ(::xpc_dictionary_get_string(each, "one more"), "text");
    EXPECT_EQ(::xpc_dictionary_get_count(each), ::xpc_dictionary_get_count(plain().at_once()));
  }
  EXPECT_STREQ(text, "caf\u00e9");
}

TEST(OpenxpcFilledDeathTest, MisuseIsToldAsForOne) {
  EXPECT_DEATH(
      {
        filling all;
        all.add(std::string("a\0b", 3), 1);
        all.at_once();
      },
      "XPC API Misuse: .*the key has a NUL inside");
  EXPECT_DEATH(
      {
        filling all;
        all.add_text("a", "\xff");
        all.at_once();
      },
      "XPC API Misuse: .*text is not UTF-8 or holds a NUL");
  EXPECT_DEATH(owned(::openxpc_dictionary_create_with(nullptr, 1)), "the array of entries is NULL");
}

}  // namespace
