// semantics.md, section 1: the object model, through the C API.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::described;
using semantics::owned;

namespace {

/// Counts calls: the only public way to see an object die is the owner of its bytes.
struct lifetime {
  int ends = 0;
  xpc_object_t object() {
    static const char byte = 1;
    return openxpc_data_create_with_owner(&byte, 1, this,
                                          [](void* self) { ++static_cast<lifetime*>(self)->ends; });
  }
};

TEST(SemanticsObjects, R001_CreateGivesOneReferenceAndGetGivesNone) {
  lifetime watched;
  xpc_object_t value = watched.object();
  xpc_object_t dictionary = xpc_dictionary_create_empty();
  xpc_dictionary_set_value(dictionary, "key", value);
  xpc_release(value);
  EXPECT_EQ(watched.ends, 0);
  EXPECT_EQ(xpc_dictionary_get_value(dictionary, "key"), value);  // lends
  xpc_release(dictionary);
  EXPECT_EQ(watched.ends, 1);
  xpc_object_t copy = xpc_copy(value = watched.object());
  xpc_release(value);
  EXPECT_EQ(watched.ends, 1);
  xpc_release(copy);
  EXPECT_EQ(watched.ends, 2);
}

TEST(SemanticsObjects, R002_RetainReturnsItsArgumentAndTheLastReleaseDestroys) {
  lifetime watched;
  xpc_object_t it = watched.object();
  EXPECT_EQ(xpc_retain(it), it);
  xpc_release(it);
  EXPECT_EQ(watched.ends, 0);
  xpc_release(it);
  EXPECT_EQ(watched.ends, 1);
}

TEST(SemanticsObjectsDeathTest, R003_OverReleaseEndsTheProcessWithAMisuseMessage) {
  EXPECT_DEATH(
      {
        xpc_object_t it = xpc_int64_create(1);
        xpc_release(it);
        xpc_release(it);
      },
      "XPC API Misuse: xpc_release|heap-use-after-free");
  EXPECT_DEATH(xpc_release(semantics::no_object()),
               "XPC API Misuse: xpc_release: the object is NULL");
}

TEST(SemanticsObjects, R003_TheMisuseTextIsThereForDebuggersOnly) {
  EXPECT_EQ(xpc_debugger_api_misuse_info(), nullptr);
}

TEST(SemanticsObjects, R005_TypesAreComparedByAddress) {
  owned a(xpc_string_create("a")), b(xpc_string_create("b")), n(xpc_int64_create(1));
  EXPECT_EQ(xpc_get_type(a), XPC_TYPE_STRING);
  EXPECT_EQ(xpc_get_type(a), xpc_get_type(b));
  EXPECT_NE(xpc_get_type(a), xpc_get_type(n));
  owned dictionary(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(dictionary, "s", a);
  owned got = arrived(dictionary);
  EXPECT_EQ(xpc_get_type(got), XPC_TYPE_DICTIONARY);
  EXPECT_EQ(xpc_get_type(xpc_dictionary_get_value(got, "s")), XPC_TYPE_STRING);
}

TEST(SemanticsObjects, R006_CopiesOfImmutableObjectsMayBeSharedContainersMayNot) {
  owned text(xpc_string_create("x")), text_copy(xpc_copy(text));
  EXPECT_STREQ(xpc_string_get_string_ptr(text_copy), "x");
  owned list(xpc_array_create_empty()), list_copy(xpc_copy(list));
  xpc_array_append_value(list_copy, text);
  EXPECT_EQ(xpc_array_get_count(list), 0u);
}

TEST(SemanticsObjects, R007_NullAndBooleansAreSingletonsAlsoOutOfAMessage) {
  EXPECT_EQ(xpc_bool_create(true), XPC_BOOL_TRUE);
  EXPECT_EQ(xpc_bool_create(false), XPC_BOOL_FALSE);
  EXPECT_EQ(xpc_null_create(), xpc_null_create());
  owned dictionary(xpc_dictionary_create_empty());
  xpc_dictionary_set_bool(dictionary, "yes", true);
  xpc_dictionary_set_value(dictionary, "null", xpc_null_create());
  owned got = arrived(dictionary);
  EXPECT_EQ(xpc_dictionary_get_value(got, "yes"), XPC_BOOL_TRUE);
  EXPECT_EQ(xpc_dictionary_get_value(got, "null"), xpc_null_create());
  for (xpc_object_t each : {XPC_BOOL_TRUE, XPC_BOOL_FALSE, xpc_null_create()}) {
    EXPECT_EQ(xpc_retain(each), each);
    for (int i = 0; i < 10; ++i) xpc_release(each);
    EXPECT_NE(xpc_get_type(each), nullptr);
  }
}

TEST(SemanticsObjects, R008_AReceivedContainerIsAPrivateCopyThatCanBeEdited) {
  owned inner(xpc_dictionary_create_empty()), dictionary(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(inner, "n", 1);
  xpc_dictionary_set_value(dictionary, "inner", inner);
  owned got = arrived(dictionary);
  xpc_dictionary_set_int64(xpc_dictionary_get_dictionary(got, "inner"), "n", 2);
  xpc_dictionary_set_string(got, "more", "text");
  EXPECT_EQ(xpc_dictionary_get_int64(xpc_dictionary_get_dictionary(got, "inner"), "n"), 2);
  EXPECT_STREQ(xpc_dictionary_get_string(got, "more"), "text");
  EXPECT_EQ(xpc_dictionary_get_int64(inner, "n"), 1);
  EXPECT_EQ(xpc_dictionary_get_count(dictionary), 1u);
}

TEST(SemanticsObjects, R010_CopyIsDeepAndNullForWhatCannotBeCopied) {
  owned inner(xpc_array_create_empty()), outer(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(outer, "list", inner);
  owned copy(xpc_copy(outer));
  xpc_array_append_value(inner, XPC_BOOL_TRUE);
  EXPECT_EQ(xpc_array_get_count(xpc_dictionary_get_array(copy, "list")), 0u);
  // An array that contains itself cannot be copied.
  xpc_array_append_value(inner, inner);
  EXPECT_EQ(xpc_copy(inner), nullptr);
  xpc_array_set_value(inner, 1, XPC_BOOL_FALSE);
}

TEST(SemanticsObjects, R011_EqualNumbersOfDifferentTypesAreNotEqual) {
  owned i(xpc_int64_create(5)), u(xpc_uint64_create(5)), d(xpc_double_create(5)),
      t(xpc_date_create(5)), same(xpc_int64_create(5));
  EXPECT_FALSE(xpc_equal(i, u));
  EXPECT_FALSE(xpc_equal(i, d));
  EXPECT_FALSE(xpc_equal(i, t));
  EXPECT_TRUE(xpc_equal(i, same));
}

TEST(SemanticsObjects, R012_ContainersCompareByValueWhateverTheOrderOfKeys) {
  owned a(xpc_dictionary_create_empty()), b(xpc_dictionary_create_empty());
  for (const char* key : {"one", "two"}) xpc_dictionary_set_string(a, key, key);
  for (const char* key : {"two", "one"}) xpc_dictionary_set_string(b, key, key);
  EXPECT_TRUE(xpc_equal(a, b));
  xpc_dictionary_set_string(b, "two", "2");
  EXPECT_FALSE(xpc_equal(a, b));
  owned x(xpc_array_create_empty()), y(xpc_array_create_empty());
  for (int i : {1, 2}) xpc_array_set_int64(x, XPC_ARRAY_APPEND, i);
  for (int i : {2, 1}) xpc_array_set_int64(y, XPC_ARRAY_APPEND, i);
  EXPECT_FALSE(xpc_equal(x, y));
  xpc_array_set_int64(y, 0, 1), xpc_array_set_int64(y, 1, 2);
  EXPECT_TRUE(xpc_equal(x, y));
}

TEST(SemanticsObjects, R013_DescriptorsAreEqualOnlyToThemselves) {
  owned a(xpc_fd_create(0)), b(xpc_fd_create(0)), copy(xpc_copy(a));
  EXPECT_TRUE(xpc_equal(a, a));
  EXPECT_FALSE(xpc_equal(a, b));
  EXPECT_FALSE(xpc_equal(a, copy));
  owned x(xpc_array_create_empty()), y(xpc_array_create_empty());
  xpc_array_append_value(x, a), xpc_array_append_value(y, a);
  EXPECT_TRUE(xpc_equal(x, y));
  xpc_array_set_value(y, 0, b);
  EXPECT_FALSE(xpc_equal(x, y));
}

TEST(SemanticsObjects, R014_EqualObjectsHaveEqualHashes) {
  owned a(xpc_dictionary_create_empty()), b(xpc_dictionary_create_empty());
  for (int i = 0; i < 40; ++i) {
    xpc_dictionary_set_int64(a, std::to_string(i).c_str(), i);
    xpc_dictionary_set_int64(b, std::to_string(39 - i).c_str(), 39 - i);
  }
  ASSERT_TRUE(xpc_equal(a, b));
  EXPECT_EQ(xpc_hash(a), xpc_hash(b));
  EXPECT_EQ(xpc_hash(a), xpc_hash(arrived(a)));
  owned i(xpc_int64_create(5)), u(xpc_uint64_create(5)), t(xpc_string_create("t"));
  EXPECT_NE(xpc_hash(i), xpc_hash(u));
  EXPECT_NE(xpc_hash(i), xpc_hash(t));
}

TEST(SemanticsObjects, R015_NanIsDeterministic) {
  owned a(xpc_double_create(std::nan(""))), b(xpc_double_create(std::nan("")));
  EXPECT_TRUE(xpc_equal(a, b));
  EXPECT_EQ(xpc_hash(a), xpc_hash(b));
}

TEST(SemanticsObjects, R017_DescriptionsNameTypeCountLengthAndContent) {
  owned dictionary(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(dictionary, "n", 1);
  xpc_dictionary_set_bool(dictionary, "yes", true);
  xpc_dictionary_set_string(dictionary, "s", "text");
  xpc_dictionary_set_data(dictionary, "d", "bplist", 6);
  EXPECT_EQ(described(dictionary),
            "<dictionary> { count = 4, transaction: 0, voucher = 0x0, contents =\n"
            "\t\"n\" => <int64>: 1\n"
            "\t\"yes\" => <bool>: true\n"
            "\t\"s\" => <string> { length = 4, contents = \"text\" }\n"
            "\t\"d\" => <data>: { length = 6 bytes, contents = 0x62706c697374 }\n"
            "}");
}

TEST(SemanticsObjects, R018_ACycleIsRefusedAsAnErrorThatNamesIt) {
  owned dictionary(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  xpc_dictionary_set_value(dictionary, "list", list);
  xpc_array_append_value(list, dictionary);
  void* bytes = nullptr;
  size_t size = 0;
  xpc_rich_error_t error = nullptr;
  EXPECT_FALSE(openxpc_object_encode(dictionary, OPENXPC_ENCODING_NATIVE, &bytes, &size, &error));
  EXPECT_EQ(bytes, nullptr);
  owned failure(error);
  EXPECT_STREQ(openxpc_error_get_message(error), "list[0]: the dictionary contains itself");
  EXPECT_EQ(openxpc_error_get_code(error), OPENXPC_ERROR_INVALID_ARGUMENT);
  xpc_dictionary_set_value(dictionary, "list", nullptr);
}

}  // namespace
