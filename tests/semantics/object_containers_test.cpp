// semantics.md, section 3: dictionaries and arrays.
#include <gtest/gtest.h>

#include <set>

#include "semantics/blocks.h"
#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::owned;

namespace {

struct counted_owner {
  int ends = 0;
  xpc_object_t object() {
    static const char byte = 1;
    return openxpc_data_create_with_owner(
        &byte, 1, this, [](void* self) { ++static_cast<counted_owner*>(self)->ends; });
  }
};

TEST(SemanticsContainers, R031_SettingRetainsTheNewValueAndReleasesTheOld) {
  counted_owner first, second;
  owned in(xpc_dictionary_create_empty());
  {
    owned value(first.object());
    xpc_dictionary_set_value(in, "k", value);
  }
  EXPECT_EQ(first.ends, 0);
  {
    owned value(second.object());
    xpc_dictionary_set_value(in, "k", value);
  }
  EXPECT_EQ(first.ends, 1);
  in = owned();
  EXPECT_EQ(second.ends, 1);
}

TEST(SemanticsContainers, R032_SettingNullRemovesTheKey) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(in, "k", 1);
  xpc_dictionary_set_value(in, "k", nullptr);
  EXPECT_EQ(xpc_dictionary_get_count(in), 0u);
  xpc_dictionary_set_value(in, "absent", nullptr);
  EXPECT_EQ(xpc_dictionary_get_count(in), 0u);
}

TEST(SemanticsContainers, R033_ANullInTheInitialListMakesNoEntry) {
  const char* keys[] = {"a", "b"};
  const xpc_object_t values[] = {XPC_BOOL_TRUE, nullptr};
  owned it(xpc_dictionary_create(keys, values, 2));
  EXPECT_EQ(xpc_dictionary_get_count(it), 1u);
  EXPECT_EQ(xpc_dictionary_get_value(it, "b"), nullptr);
  owned empty(xpc_dictionary_create(nullptr, nullptr, 0));
  EXPECT_EQ(xpc_dictionary_get_count(empty), 0u);
}

TEST(SemanticsContainersDeathTest, R033_NullKeysAndNullListsAreMisuse) {
  const char* keys[] = {nullptr};
  const xpc_object_t values[] = {XPC_BOOL_TRUE};
  EXPECT_DEATH(owned(xpc_dictionary_create(keys, values, 1)), "XPC API Misuse: .*the key is NULL");
  EXPECT_DEATH(owned(xpc_dictionary_create(keys, nullptr, 1)), "XPC API Misuse: .*values is NULL");
}

TEST(SemanticsContainers, R034_CountFollowsInsertionAndRemoval) {
  owned in(xpc_dictionary_create_empty());
  for (int i = 0; i < 40; ++i) {
    xpc_dictionary_set_int64(in, std::to_string(i).c_str(), i);
    EXPECT_EQ(xpc_dictionary_get_count(in), static_cast<size_t>(i + 1));
  }
  for (int i = 0; i < 40; ++i) {
    xpc_dictionary_set_value(in, std::to_string(i).c_str(), nullptr);
    EXPECT_EQ(xpc_dictionary_get_count(in), static_cast<size_t>(39 - i));
  }
}

TEST(SemanticsContainers, R035_KeysAreCopied) {
  owned in(xpc_dictionary_create_empty());
  char key[] = "a key that is too long to be stored inside";
  xpc_dictionary_set_int64(in, key, 1);
  key[0] = 'X';
  EXPECT_EQ(xpc_dictionary_get_int64(in, "a key that is too long to be stored inside"), 1);
  EXPECT_EQ(xpc_dictionary_get_value(in, key), nullptr);
}

struct walk {
  size_t calls = 0, stop_at = SIZE_MAX;
  std::set<std::string> keys;
  static bool entry(void* self, const char* key, size_t length, xpc_object_t value) {
    auto& it = *static_cast<walk*>(self);
    EXPECT_EQ(strlen(key), length);
    EXPECT_NE(value, nullptr);
    it.keys.insert(key);
    return it.calls++ != it.stop_at;
  }
  static bool element(void* self, size_t index, xpc_object_t value) {
    auto& it = *static_cast<walk*>(self);
    EXPECT_EQ(index, it.calls);
    EXPECT_EQ(xpc_int64_get_value(value), static_cast<int64_t>(index));
    return it.calls++ != it.stop_at;
  }
};

std::pair<owned, owned> ten() {
  owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  for (int i = 0; i < 10; ++i) {
    xpc_dictionary_set_int64(in, std::to_string(i).c_str(), i);
    xpc_array_set_int64(list, XPC_ARRAY_APPEND, i);
  }
  return {std::move(in), std::move(list)};
}

TEST(SemanticsContainers, R037_ApplyIsFalseOnlyIfTheFunctionReturnedFalse) {
  auto [in, list] = ten();
  walk all;
  EXPECT_TRUE(openxpc_dictionary_apply_f(in, &all, walk::entry));
  EXPECT_EQ(all.keys.size(), 10u);
  walk elements;
  EXPECT_TRUE(openxpc_array_apply_f(list, &elements, walk::element));
  EXPECT_EQ(elements.calls, 10u);
  walk last{0, 9, {}};  // false at the very last one
  EXPECT_FALSE(openxpc_dictionary_apply_f(in, &last, walk::entry));
  EXPECT_EQ(last.calls, 10u);
  walk last_element{0, 9, {}};
  EXPECT_FALSE(openxpc_array_apply_f(list, &last_element, walk::element));
  owned empty(xpc_dictionary_create_empty()), no_elements(xpc_array_create_empty());
  EXPECT_TRUE(openxpc_dictionary_apply_f(empty, &all, walk::entry));
  EXPECT_TRUE(openxpc_array_apply_f(no_elements, &all, walk::element));
}

TEST(SemanticsContainers, R305_StoppingAtIndexKMeansKPlusOneCalls) {
  auto [in, list] = ten();
  walk some{0, 3, {}};
  EXPECT_FALSE(openxpc_array_apply_f(list, &some, walk::element));
  EXPECT_EQ(some.calls, 4u);
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(message, "list", list);
  owned got = arrived(message);
  walk of_received{0, 3, {}};
  EXPECT_FALSE(
      openxpc_array_apply_f(xpc_dictionary_get_array(got, "list"), &of_received, walk::element));
  EXPECT_EQ(of_received.calls, 4u);
}

#if SEMANTICS_BLOCKS
TEST(SemanticsContainers, R037_ApplyWithBlocksWorksLikeApplyWithFunctions) {
  auto [in, list] = ten();
  EXPECT_EQ(blocks_count_entries(in), 10);
  EXPECT_EQ(blocks_sum_elements(list), 45);
  EXPECT_EQ(blocks_calls_until_stopped_at(list, 3), 4);
  EXPECT_EQ(blocks_calls_until_stopped_at(list, 100), -10);
  EXPECT_EQ(blocks_count_entries(XPC_ERROR_CONNECTION_INVALID), 1);
}

TEST(SemanticsContainers, R305_TheBlockMayReadTheSameContainer) {
  auto [in, list] = ten();
  EXPECT_TRUE(blocks_read_while_walking(in, list));
}

TEST(SemanticsContainersDeathTest, R038_ChangingAContainerInItsApplyBlockIsMisuse) {
  auto [in, list] = ten();
  EXPECT_DEATH(blocks_change_dictionary_while_walking(in),
               "XPC API Misuse: xpc_dictionary_set_int64: the dictionary was changed while");
  EXPECT_DEATH(blocks_change_array_while_walking(list),
               "XPC API Misuse: xpc_array_set_int64: the array was changed while");
}
#endif

TEST(SemanticsContainersDeathTest, R038_ChangingAContainerWhileItIsWalkedIsMisuse) {
  auto [in, list] = ten();
  EXPECT_DEATH(xpc_dictionary_apply_f(in, in,
                                      [](const char*, xpc_object_t, void* self) {
                                        xpc_dictionary_set_value(static_cast<xpc_object_t>(self),
                                                                 "new", XPC_BOOL_TRUE);
                                      }),
               "XPC API Misuse: xpc_dictionary_set_value: the dictionary was changed while");
  EXPECT_DEATH(xpc_array_apply_f(list, list,
                                 [](size_t index, xpc_object_t, void* self) {
                                   xpc_array_set_int64(static_cast<xpc_object_t>(self), index, 1);
                                 }),
               "XPC API Misuse: xpc_array_set_int64: the array was changed while");
}

TEST(SemanticsContainers, R038_AfterApplyItMayBeChangedAgain) {
  auto [in, list] = ten();
  walk some{0, 3, {}};
  openxpc_dictionary_apply_f(in, &some, walk::entry);
  xpc_dictionary_set_int64(in, "new", 1);
  EXPECT_EQ(xpc_dictionary_get_count(in), 11u);
}

TEST(SemanticsContainers, R039_NullStandsInForAHole) {
  owned list(xpc_array_create_empty());
  xpc_array_append_value(list, xpc_null_create());
  xpc_array_set_value(list, 0, XPC_BOOL_TRUE);
  EXPECT_EQ(xpc_array_get_value(list, 0), XPC_BOOL_TRUE);
  EXPECT_EQ(xpc_array_get_count(list), 1u);
}

TEST(SemanticsContainersDeathTest, R039_SetValueNeverGrowsTheArray) {
  owned list(xpc_array_create_empty());
  EXPECT_DEATH(xpc_array_set_value(list, 0, XPC_BOOL_TRUE),
               "XPC API Misuse: xpc_array_set_value: index 0 is beyond the end of an array of 0");
}

TEST(SemanticsContainers, R040_PrimitiveSettersReplaceOrAppend) {
  owned list(xpc_array_create_empty());
  const uuid_t uuid = {1};
  xpc_array_set_bool(list, XPC_ARRAY_APPEND, true);
  xpc_array_set_int64(list, XPC_ARRAY_APPEND, -1);
  xpc_array_set_uint64(list, XPC_ARRAY_APPEND, 2);
  xpc_array_set_double(list, XPC_ARRAY_APPEND, 0.5);
  xpc_array_set_date(list, XPC_ARRAY_APPEND, 3);
  xpc_array_set_data(list, XPC_ARRAY_APPEND, "ab", 2);
  xpc_array_set_string(list, XPC_ARRAY_APPEND, "s");
  xpc_array_set_uuid(list, XPC_ARRAY_APPEND, uuid);
  xpc_array_set_fd(list, XPC_ARRAY_APPEND, 0);
  ASSERT_EQ(xpc_array_get_count(list), 9u);
  EXPECT_TRUE(xpc_array_get_bool(list, 0));
  EXPECT_EQ(xpc_array_get_int64(list, 1), -1);
  EXPECT_EQ(xpc_array_get_uint64(list, 2), 2u);
  EXPECT_EQ(xpc_array_get_double(list, 3), 0.5);
  EXPECT_EQ(xpc_array_get_date(list, 4), 3);
  EXPECT_STREQ(xpc_array_get_string(list, 6), "s");
  EXPECT_EQ(xpc_array_get_uuid(list, 7)[0], 1);
  xpc_array_set_string(list, 0, "now text");
  EXPECT_STREQ(xpc_array_get_string(list, 0), "now text");
  EXPECT_EQ(xpc_array_get_count(list), 9u);
}

TEST(SemanticsContainers, R041_GettersBeyondTheEndReturnTheDefault) {
  owned list(xpc_array_create_empty());
  xpc_array_set_fd(list, XPC_ARRAY_APPEND, 0);
  size_t length = 9;
  for (size_t index : {size_t{1}, size_t{1000}, XPC_ARRAY_APPEND}) {
    EXPECT_EQ(xpc_array_get_value(list, index), nullptr);
    EXPECT_FALSE(xpc_array_get_bool(list, index));
    EXPECT_EQ(xpc_array_get_int64(list, index), 0);
    EXPECT_NE(xpc_array_get_double(list, index), xpc_array_get_double(list, index));
    EXPECT_EQ(xpc_array_get_data(list, index, &length), nullptr);
    EXPECT_EQ(length, 0u);
    EXPECT_EQ(xpc_array_get_string(list, index), nullptr);
    EXPECT_EQ(xpc_array_dup_fd(list, index), -1);
    EXPECT_EQ(xpc_array_get_dictionary(list, index), nullptr);
  }
}

TEST(SemanticsContainersDeathTest, R041_SettersBeyondTheEndAreMisuse) {
  owned list(xpc_array_create_empty());
  EXPECT_DEATH(xpc_array_set_string(list, 3, "x"),
               "XPC API Misuse: xpc_array_set_string: index 3 is beyond the end");
}

TEST(SemanticsContainers, R042_PrimitivesReadBackAsBoxedObjects) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(in, "n", 5);
  xpc_object_t boxed = xpc_dictionary_get_value(in, "n");
  EXPECT_EQ(xpc_get_type(boxed), XPC_TYPE_INT64);
  EXPECT_EQ(xpc_int64_get_value(boxed), 5);
  owned list(xpc_array_create_empty());
  xpc_array_set_double(list, XPC_ARRAY_APPEND, 0.5);
  EXPECT_EQ(xpc_double_get_value(xpc_array_get_value(list, 0)), 0.5);
}

TEST(SemanticsContainers, R044_UuidMismatchIsNullInBothContainers) {
  owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  xpc_dictionary_set_int64(in, "k", 1);
  xpc_array_set_int64(list, XPC_ARRAY_APPEND, 1);
  EXPECT_EQ(xpc_dictionary_get_uuid(in, "k"), nullptr);
  EXPECT_EQ(xpc_array_get_uuid(list, 0), nullptr);
}

TEST(SemanticsContainers, R045_NestedGettersLend) {
  counted_owner watched;
  owned inner(xpc_dictionary_create_empty()), outer(xpc_dictionary_create_empty()),
      list(xpc_array_create_empty());
  {
    owned value(watched.object());
    xpc_dictionary_set_value(inner, "v", value);
  }
  xpc_dictionary_set_value(outer, "inner", inner);
  xpc_array_append_value(list, outer);
  EXPECT_EQ(xpc_dictionary_get_dictionary(outer, "inner"), inner);
  EXPECT_EQ(xpc_array_get_dictionary(list, 0), outer);
  EXPECT_EQ(xpc_dictionary_get_array(outer, "inner"), nullptr);
  EXPECT_EQ(xpc_array_get_array(list, 0), nullptr);
  EXPECT_EQ(xpc_dictionary_get_dictionary(list, "inner"), nullptr);
  inner = owned(), outer = owned(), list = owned();
  EXPECT_EQ(watched.ends, 1);
}

TEST(SemanticsContainers, R046_OfEqualKeysTheLastWins) {
  const char* keys[] = {"k", "k", "j", "j"};
  owned one(xpc_int64_create(1)), two(xpc_int64_create(2));
  const xpc_object_t values[] = {one, two, one, nullptr};
  owned it(xpc_dictionary_create(keys, values, 4));
  EXPECT_EQ(xpc_dictionary_get_count(it), 1u);
  EXPECT_EQ(xpc_dictionary_get_value(it, "k"), two);
}

TEST(SemanticsContainers, R047_EmptyAndVeryLongKeysWork) {
  owned in(xpc_dictionary_create_empty());
  std::string long_key(100'000, 'k');
  xpc_dictionary_set_int64(in, "", 1);
  xpc_dictionary_set_int64(in, long_key.c_str(), 2);
  owned got = arrived(in);
  for (xpc_object_t each : {static_cast<xpc_object_t>(in), static_cast<xpc_object_t>(got)}) {
    EXPECT_EQ(xpc_dictionary_get_int64(each, ""), 1);
    EXPECT_EQ(xpc_dictionary_get_int64(each, long_key.c_str()), 2);
  }
}

}  // namespace
