// What <xpc/openxpc/object.h> and error.h add.
#include <gtest/gtest.h>

#include <fcntl.h>

#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::owned;

namespace {

constexpr char key[] = "key with more behind";  // its first 3 bytes are used

TEST(OpenxpcObjects, KeysCrossWithTheirLength) {
  owned in(xpc_dictionary_create_empty());
  openxpc_dictionary_set_int64(in, key, 3, 5);
  EXPECT_EQ(xpc_dictionary_get_int64(in, "key"), 5);
  EXPECT_EQ(openxpc_dictionary_get_value(in, key, 3), xpc_dictionary_get_value(in, "key"));
  EXPECT_EQ(openxpc_dictionary_get_value(in, key, 4), nullptr);
  EXPECT_TRUE(openxpc_dictionary_remove(in, key, 3));
  EXPECT_FALSE(openxpc_dictionary_remove(in, key, 3));
}

TEST(OpenxpcObjectsDeathTest, AKeyWithANulInsideIsMisuse) {
  owned in(xpc_dictionary_create_empty());
  EXPECT_DEATH(openxpc_dictionary_set_int64(in, "a\0b", 3, 1),
               "XPC API Misuse: openxpc_dictionary_set_int64: the key has a NUL inside");
}

TEST(OpenxpcObjects, TypedReadsTellMissingFromWrongType) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(in, "n", -5);
  xpc_dictionary_set_string(in, "s", "text");
  owned got = arrived(in);
  for (xpc_object_t each : {static_cast<xpc_object_t>(in), static_cast<xpc_object_t>(got)}) {
    int64_t number = 1;
    uint64_t other = 1;
    const char* text = nullptr;
    size_t length = 0;
    EXPECT_EQ(openxpc_dictionary_get_int64_if(each, "n", 1, &number), OPENXPC_FOUND);
    EXPECT_EQ(number, -5);
    EXPECT_EQ(openxpc_dictionary_get_uint64_if(each, "n", 1, &other), OPENXPC_TYPE_INT64);
    EXPECT_EQ(other, 1u);
    EXPECT_EQ(openxpc_dictionary_get_int64_if(each, "x", 1, &number), OPENXPC_MISSING);
    EXPECT_EQ(openxpc_dictionary_get_string_if(each, "s", 1, &text, &length), OPENXPC_FOUND);
    EXPECT_EQ(std::string(text, length), "text");
    EXPECT_EQ(text[length], '\0');
    EXPECT_EQ(openxpc_dictionary_get_int64_if(each, "s", 1, &number), OPENXPC_TYPE_STRING);
  }
}

TEST(OpenxpcObjects, ReadsDescribeAnyValueWithoutAnObject) {
  owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  xpc_array_set_double(list, XPC_ARRAY_APPEND, 0.5);
  xpc_dictionary_set_value(in, "list", list);
  xpc_dictionary_set_date(in, "date", -1);
  xpc_dictionary_set_data(in, "data", "abc", 3);
  owned got = arrived(in);
  openxpc_value_t value;
  ASSERT_TRUE(openxpc_dictionary_read(got, "list", 4, &value));
  EXPECT_EQ(value.type, OPENXPC_TYPE_ARRAY);
  EXPECT_EQ(value.size, 1u);
  ASSERT_TRUE(openxpc_array_read(xpc_dictionary_get_array(got, "list"), 0, &value));
  EXPECT_EQ(value.as.real, 0.5);
  EXPECT_FALSE(openxpc_array_read(xpc_dictionary_get_array(got, "list"), 1, &value));
  ASSERT_TRUE(openxpc_dictionary_read(got, "date", 4, &value));
  EXPECT_EQ(value.as.int64, -1);
  ASSERT_TRUE(openxpc_dictionary_read(got, "data", 4, &value));
  EXPECT_EQ(value.size, 3u);
  EXPECT_EQ(value.borrowed_fd, -1);
  EXPECT_FALSE(openxpc_dictionary_read(got, "none", 4, &value));
  int seen = 0;
  EXPECT_TRUE(openxpc_dictionary_read_each_f(
      got, &seen, [](void* count, const char*, size_t, const openxpc_value_t* each) {
        *static_cast<int*>(count) += each->type != OPENXPC_TYPE_NONE;
        return true;
      }));
  EXPECT_EQ(seen, 3);
}

TEST(OpenxpcObjects, PutAndTakeMoveReferences) {
  owned in(xpc_dictionary_create_empty());
  openxpc_dictionary_put(in, "k", 1, xpc_array_create_empty());
  xpc_object_t kept = xpc_dictionary_get_value(in, "k");
  owned taken(openxpc_dictionary_take(in, "k", 1));
  EXPECT_EQ(taken, kept);
  owned second(openxpc_object_unshare(xpc_retain(taken)));  // held twice: a copy
  EXPECT_NE(static_cast<xpc_object_t>(second), kept);
  owned list(xpc_array_create_empty());
  openxpc_array_put(list, XPC_ARRAY_APPEND, xpc_string_create("a"));
  owned element(openxpc_array_take(list, 0));
  EXPECT_STREQ(xpc_string_get_string_ptr(element), "a");
  EXPECT_EQ(xpc_array_get_value(list, 0), xpc_null_create());
  EXPECT_TRUE(openxpc_array_remove(list, 0));
  EXPECT_FALSE(openxpc_array_remove(list, 0));
  EXPECT_EQ(openxpc_array_take(list, 0), nullptr);
}

TEST(OpenxpcObjects, UnshareKeepsWhatIsHeldOnceAndCopiesWhatIsShared) {
  xpc_object_t it = xpc_dictionary_create_empty();
  EXPECT_EQ(openxpc_object_unshare(it), it);
  xpc_dictionary_set_int64(it, "n", 1);
  owned original(it);
  owned mine(openxpc_object_unshare(xpc_retain(it)));
  EXPECT_NE(static_cast<xpc_object_t>(mine), it);
  xpc_dictionary_set_int64(mine, "n", 2);
  EXPECT_EQ(xpc_dictionary_get_int64(original, "n"), 1);
  EXPECT_EQ(openxpc_object_unshare(XPC_BOOL_TRUE), XPC_BOOL_TRUE);
}

TEST(OpenxpcObjects, DataIsFilledInPlace) {
  void* bytes = nullptr;
  owned it(openxpc_data_create_blank(100, &bytes));
  memcpy(bytes, "hello", 5);
  openxpc_data_finish(it, 5);
  EXPECT_EQ(xpc_data_get_length(it), 5u);
  EXPECT_EQ(xpc_data_get_bytes_ptr(it), bytes);
}

TEST(OpenxpcObjectsDeathTest, FinishingTwiceOrBeyondTheRoomIsMisuse) {
  void* bytes = nullptr;
  owned it(openxpc_data_create_blank(10, &bytes));
  EXPECT_DEATH(openxpc_data_finish(it, 11), "XPC API Misuse: openxpc_data_finish: 11 bytes");
  openxpc_data_finish(it, 10);
  EXPECT_DEATH(openxpc_data_finish(it, 10), "XPC API Misuse: .*not being filled");
}

TEST(OpenxpcObjects, DescriptorsChangeTheirOwner) {
  int mine = open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    owned it(openxpc_fd_create_owned(mine));
    EXPECT_EQ(openxpc_fd_get_borrowed(it), mine);
    EXPECT_GE(fcntl(mine, F_GETFD), 0);
  }
  EXPECT_EQ(fcntl(mine, F_GETFD), -1);
  EXPECT_EQ(openxpc_fd_create_owned(mine), nullptr);
  EXPECT_EQ(openxpc_fd_get_borrowed(XPC_BOOL_TRUE), -1);
}

TEST(OpenxpcObjects, T40_BytesThatBreakTheFormatAreRefusedWithOffsetAndReason) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(in, "text", "hello");
  void* bytes = nullptr;
  size_t size = 0;
  ASSERT_TRUE(openxpc_object_encode(in, OPENXPC_ENCODING_FILE, &bytes, &size, nullptr));
  std::unique_ptr<void, void (*)(void*)> freed(bytes, std::free);
  std::string good(static_cast<char*>(bytes), size);
  owned back(openxpc_object_decode(good.data(), good.size(), OPENXPC_ENCODING_FILE, nullptr));
  EXPECT_TRUE(xpc_equal(back, in));
  EXPECT_EQ(openxpc_object_decode(good.data(), good.size(), OPENXPC_ENCODING_NATIVE, nullptr),
            nullptr);
  auto refused = [&](std::string broken) {
    xpc_rich_error_t error = nullptr;
    auto exact = std::make_unique<char[]>(broken.size());
    std::copy(broken.begin(), broken.end(), exact.get());
    EXPECT_EQ(openxpc_object_decode(exact.get(), broken.size(), OPENXPC_ENCODING_FILE, &error),
              nullptr);
    owned failure(error);
    EXPECT_EQ(openxpc_error_get_code(error), OPENXPC_ERROR_MALFORMED);
    std::string said = openxpc_error_get_message(error);
    EXPECT_EQ(said.substr(0, 7), "offset ");
    EXPECT_NE(said.find(": "), std::string::npos);
  };
  for (size_t cut = 0; cut < good.size(); ++cut) refused(good.substr(0, cut));
  refused(good + std::string(4, '\0'));
  // CVE-2018-4248: a text with its NUL before its end would carry foreign bytes along.
  std::string nul_inside = good;
  nul_inside[good.find("hello") + 2] = '\0';
  refused(nul_inside);
}

TEST(OpenxpcErrors, CarryAllTheirPartsAndTravelAsDictionaries) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = OPENXPC_ERROR_REMOTE;
  parts.domain = "org.example";
  parts.number = 42;
  parts.message = "no";
  parts.remedy = "ask again";
  parts.flags = OPENXPC_ERROR_HAS_EXIT_STATUS;
  parts.exit_status = 9;
  xpc_rich_error_t inner = openxpc_error_create(&parts);
  owned hold_inner(inner);
  parts.cause = inner;
  xpc_rich_error_t error = openxpc_error_create(&parts);
  owned hold(error), dictionary(openxpc_error_copy_dictionary(error));
  owned got = arrived(dictionary);
  xpc_rich_error_t back = openxpc_error_create_from_dictionary(got);
  owned hold_back(back);
  for (xpc_rich_error_t each : {error, back}) {
    EXPECT_EQ(openxpc_error_get_code(each), OPENXPC_ERROR_REMOTE);
    EXPECT_STREQ(openxpc_error_get_domain(each), "org.example");
    EXPECT_EQ(openxpc_error_get_number(each), 42);
    EXPECT_STREQ(openxpc_error_get_message(each), "no");
    EXPECT_STREQ(openxpc_error_get_remedy(each), "ask again");
    int status = 0;
    EXPECT_TRUE(openxpc_error_get_exit_status(each, &status));
    EXPECT_EQ(status, 9);
    ASSERT_NE(openxpc_error_get_cause(each), nullptr);
  }
  auto not_an_error = static_cast<xpc_rich_error_t>(static_cast<xpc_object_t>(got));
  EXPECT_EQ(openxpc_error_get_code(not_an_error), OPENXPC_ERROR_NONE);
  EXPECT_STREQ(openxpc_error_get_message(not_an_error), "");
  EXPECT_STREQ(openxpc_error_code_name(OPENXPC_ERROR_NO_REPLY), "no_reply");
  EXPECT_STREQ(openxpc_error_code_name(static_cast<openxpc_error_code_t>(999)), "unknown");
}

}  // namespace
