// semantics.md, section 2: the types.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::owned;

namespace {

const uuid_t some_uuid = {0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4,
                          0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0x00, 0x00};

/// One object of each kind that can be made here.
std::vector<std::pair<std::string, owned>> one_of_each() {
  std::vector<std::pair<std::string, owned>> all;
  auto add = [&](const char* name, xpc_object_t object) { all.emplace_back(name, object); };
  add("null", xpc_null_create());
  add("bool", xpc_bool_create(true));
  add("int64", xpc_int64_create(7));
  add("uint64", xpc_uint64_create(7));
  add("double", xpc_double_create(7));
  add("date", xpc_date_create(7));
  add("data", xpc_data_create("data", 4));
  add("string", xpc_string_create("text"));
  add("uuid", xpc_uuid_create(some_uuid));
  add("fd", xpc_fd_create(0));
  add("array", xpc_array_create_empty());
  add("dictionary", xpc_dictionary_create_empty());
  add("error", XPC_ERROR_CONNECTION_INVALID);
  return all;
}

/// Every getter on a value: what it gives is the default unless the value is of the getter's kind.
void check_getters(const std::string& kind, xpc_object_t it) {
  SCOPED_TRACE(kind);
  EXPECT_EQ(xpc_bool_get_value(it), kind == "bool");
  EXPECT_EQ(xpc_int64_get_value(it), kind == "int64" ? 7 : 0);
  EXPECT_EQ(xpc_uint64_get_value(it), kind == "uint64" ? 7u : 0u);
  EXPECT_EQ(std::isnan(xpc_double_get_value(it)), kind != "double");
  EXPECT_EQ(xpc_date_get_value(it), kind == "date" ? 7 : 0);
  EXPECT_EQ(xpc_data_get_length(it), kind == "data" ? 4u : 0u);
  EXPECT_EQ(xpc_data_get_bytes_ptr(it) != nullptr, kind == "data");
  char buffer[8];
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, 0, 8), kind == "data" ? 4u : 0u);
  EXPECT_EQ(xpc_string_get_length(it), kind == "string" ? 4u : 0u);
  EXPECT_EQ(xpc_string_get_string_ptr(it) != nullptr, kind == "string");
  EXPECT_EQ(xpc_uuid_get_bytes(it) != nullptr, kind == "uuid");
  int fd = xpc_fd_dup(it);
  EXPECT_EQ(fd >= 0, kind == "fd");
  if (fd >= 0) close(fd);
  EXPECT_EQ(xpc_array_get_count(it), 0u);
  EXPECT_EQ(xpc_array_get_value(it, 0), nullptr);
  EXPECT_EQ(xpc_dictionary_get_count(it), kind == "error" ? 1u : 0u);
  EXPECT_EQ(xpc_dictionary_get_value(it, "absent"), nullptr);
  EXPECT_EQ(xpc_dictionary_get_string(it, "absent"), nullptr);
  EXPECT_EQ(xpc_dictionary_create_connection(it, "absent"), nullptr);
  EXPECT_EQ(xpc_array_create_connection(it, 0), nullptr);
}

/// The same through the getters of containers.
void check_container_getters(const std::string& kind, xpc_object_t in, xpc_object_t list) {
  SCOPED_TRACE(kind);
  size_t length = 99;
  EXPECT_EQ(xpc_dictionary_get_bool(in, "v"), kind == "bool");
  EXPECT_EQ(xpc_dictionary_get_int64(in, "v"), kind == "int64" ? 7 : 0);
  EXPECT_EQ(xpc_dictionary_get_uint64(in, "v"), kind == "uint64" ? 7u : 0u);
  EXPECT_EQ(std::isnan(xpc_dictionary_get_double(in, "v")), kind != "double");
  EXPECT_EQ(xpc_dictionary_get_date(in, "v"), kind == "date" ? 7 : 0);
  EXPECT_EQ(xpc_dictionary_get_data(in, "v", &length) != nullptr, kind == "data");
  EXPECT_EQ(length, kind == "data" ? 4u : 0u);
  EXPECT_EQ(xpc_dictionary_get_string(in, "v") != nullptr, kind == "string");
  EXPECT_EQ(xpc_dictionary_get_uuid(in, "v") != nullptr, kind == "uuid");
  EXPECT_EQ(xpc_dictionary_get_array(in, "v") != nullptr, kind == "array");
  EXPECT_EQ(xpc_dictionary_get_dictionary(in, "v") != nullptr, kind == "dictionary");
  EXPECT_EQ(xpc_dictionary_create_connection(in, "v"), nullptr);
  EXPECT_EQ(xpc_array_get_bool(list, 0), kind == "bool");
  EXPECT_EQ(xpc_array_get_int64(list, 0), kind == "int64" ? 7 : 0);
  EXPECT_EQ(xpc_array_get_uint64(list, 0), kind == "uint64" ? 7u : 0u);
  EXPECT_EQ(std::isnan(xpc_array_get_double(list, 0)), kind != "double");
  EXPECT_EQ(xpc_array_get_date(list, 0), kind == "date" ? 7 : 0);
  EXPECT_EQ(xpc_array_get_data(list, 0, &length) != nullptr, kind == "data");
  EXPECT_EQ(length, kind == "data" ? 4u : 0u);
  EXPECT_EQ(xpc_array_get_string(list, 0) != nullptr, kind == "string");
  EXPECT_EQ(xpc_array_get_uuid(list, 0) != nullptr, kind == "uuid");
  EXPECT_EQ(xpc_array_get_array(list, 0) != nullptr, kind == "array");
  EXPECT_EQ(xpc_array_get_dictionary(list, 0) != nullptr, kind == "dictionary");
  for (int fd : {xpc_dictionary_dup_fd(in, "v"), xpc_array_dup_fd(list, 0)}) {
    EXPECT_EQ(fd >= 0, kind == "fd");
    if (fd >= 0) close(fd);
  }
}

TEST(SemanticsTypes, R020_GettersOnAnotherTypeReturnTheDefault) {
  for (auto& [kind, it] : one_of_each()) check_getters(kind, it);
}

TEST(SemanticsTypes, T39_EveryWrongTypeForEveryGetterInBothForms) {
  for (auto& [kind, it] : one_of_each()) {
    owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
    xpc_dictionary_set_value(in, "v", it);
    xpc_array_append_value(list, it);
    check_container_getters(kind, in, list);
    if (kind == "fd" || kind == "error") continue;
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_value(message, "in", in);
    xpc_dictionary_set_value(message, "list", list);
    owned got = arrived(message);
    check_container_getters(kind, xpc_dictionary_get_dictionary(got, "in"),
                            xpc_dictionary_get_array(got, "list"));
    check_getters(kind, xpc_dictionary_get_value(xpc_dictionary_get_dictionary(got, "in"), "v"));
  }
  check_getters("NULL", semantics::no_object());
}

TEST(SemanticsTypesDeathTest, T39_FunctionsThatChangeCheckTheTypeInEveryBuild) {
  owned text(xpc_string_create("x")), list(xpc_array_create_empty()),
      in(xpc_dictionary_create_empty());
  EXPECT_DEATH(
      xpc_dictionary_set_int64(text, "k", 1),
      "XPC API Misuse: xpc_dictionary_set_int64: expected an object of type dictionary, got "
      "string");
  EXPECT_DEATH(xpc_array_append_value(in, text),
               "XPC API Misuse: .*expected an object of type array, got dictionary");
  EXPECT_DEATH(xpc_dictionary_set_value(XPC_ERROR_CONNECTION_INVALID, "k", text),
               "XPC API Misuse: .*got error");
  EXPECT_DEATH(xpc_array_append_value(list, semantics::no_object()), "XPC API Misuse: .*NULL");
  EXPECT_DEATH(xpc_dictionary_set_value(in, semantics::no_object<const char*>(), text),
               "XPC API Misuse: .*the key is NULL");
  EXPECT_DEATH(xpc_dictionary_set_connection(
                   in, "k", static_cast<xpc_connection_t>(static_cast<xpc_object_t>(text))),
               "XPC API Misuse: .*got string");
  EXPECT_DEATH(
      owned(xpc_endpoint_create(static_cast<xpc_connection_t>(static_cast<xpc_object_t>(text)))),
      "XPC API Misuse: xpc_endpoint_create: .*got string");
  EXPECT_DEATH(xpc_dictionary_set_fd(in, "k", 9999), "XPC API Misuse: .*9999 is not open");
  int garbage[16] = {};
  EXPECT_DEATH(xpc_dictionary_set_value(in, "k", garbage),
               "XPC API Misuse: .*not an XPC object|invalid vptr");
}

TEST(SemanticsTypes, R022_DatesAreSignedNanosecondsFrom1970) {
  for (int64_t each : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
                       std::numeric_limits<int64_t>::max()}) {
    owned it(xpc_date_create(each));
    EXPECT_EQ(xpc_date_get_value(it), each);
  }
  timespec before{}, after{};
  clock_gettime(CLOCK_REALTIME, &before);
  owned now(xpc_date_create_from_current());
  clock_gettime(CLOCK_REALTIME, &after);
  auto nanoseconds = [](const timespec& t) { return t.tv_sec * int64_t{1000000000} + t.tv_nsec; };
  EXPECT_GE(xpc_date_get_value(now), nanoseconds(before));
  EXPECT_LE(xpc_date_get_value(now), nanoseconds(after));
}

TEST(SemanticsTypes, R023_StringsAreUtf8AndOtherBytesStayAtHome) {
  owned it(xpc_string_create("gr\xc3\xbc\xc3\x9f")), bad(xpc_string_create("gr\xfc\xdf"));
  EXPECT_EQ(xpc_string_get_length(it), 6u);
  EXPECT_STREQ(xpc_string_get_string_ptr(bad), "gr\xfc\xdf");
  EXPECT_EQ(openxpc_string_create_with_length("a\0b", 3), nullptr);
  EXPECT_EQ(openxpc_string_create_with_length("\xff", 1), nullptr);
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(message, "v", bad);
  EXPECT_THROW(arrived(message), std::runtime_error);
}

TEST(SemanticsTypes, R024_DataOfNothingIsEmpty) {
  owned it(xpc_data_create(nullptr, 0));
  EXPECT_EQ(xpc_data_get_length(it), 0u);
  EXPECT_EQ(xpc_get_type(it), XPC_TYPE_DATA);
}

TEST(SemanticsTypes, R025_CopyingBytesOutStopsAtEitherEnd) {
  owned it(xpc_data_create("abcdef", 6));
  char buffer[16] = "";
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, 0, 16), 6u);
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, 4, 16), 2u);
  EXPECT_EQ(std::string(buffer, 2), "ef");
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, 1, 3), 3u);
  EXPECT_EQ(std::string(buffer, 3), "bcd");
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, 6, 1), 0u);
  EXPECT_EQ(xpc_data_get_bytes(it, buffer, SIZE_MAX, SIZE_MAX), 0u);
}

TEST(SemanticsTypes, R026_BytesOfAnOwnerAreNotCopiedUntilSent) {
  static const char bytes[] = "some bytes";
  int ends = 0;
  {
    owned it(openxpc_data_create_with_owner(bytes, sizeof bytes, &ends,
                                            [](void* count) { ++*static_cast<int*>(count); }));
    EXPECT_EQ(xpc_data_get_bytes_ptr(it), bytes);
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_value(message, "d", it);
    size_t length = 0;
    owned got = arrived(message);
    EXPECT_NE(xpc_dictionary_get_data(got, "d", &length), bytes);
    EXPECT_EQ(length, sizeof bytes);
    EXPECT_EQ(ends, 0);
  }
  EXPECT_EQ(ends, 1);
}

TEST(SemanticsTypes, R027_InteriorPointersLiveAsLongAsTheObject) {
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(message, "s", "text");
  xpc_dictionary_set_uuid(message, "u", some_uuid);
  owned got = arrived(message);
  const char* text = xpc_dictionary_get_string(got, "s");
  const uint8_t* uuid = xpc_dictionary_get_uuid(got, "u");
  xpc_dictionary_set_string(got, "more", "another entry");  // not those that were lent
  EXPECT_STREQ(text, "text");
  EXPECT_EQ(memcmp(uuid, some_uuid, 16), 0);
}

TEST(SemanticsTypes, R028_ErrorsReadLikeDictionariesAndAlwaysHaveADescription) {
  for (xpc_object_t each :
       {XPC_ERROR_CONNECTION_INTERRUPTED, XPC_ERROR_CONNECTION_INVALID,
        XPC_ERROR_TERMINATION_IMMINENT, XPC_ERROR_PEER_CODE_SIGNING_REQUIREMENT}) {
    EXPECT_EQ(xpc_get_type(each), XPC_TYPE_ERROR);
    EXPECT_NE(xpc_dictionary_get_string(each, XPC_ERROR_KEY_DESCRIPTION), nullptr);
    xpc_object_t text = xpc_dictionary_get_value(each, XPC_ERROR_KEY_DESCRIPTION);
    EXPECT_EQ(xpc_get_type(text), XPC_TYPE_STRING);
    EXPECT_EQ(xpc_dictionary_get_value(each, XPC_ERROR_KEY_DESCRIPTION), text);
    EXPECT_EQ(xpc_dictionary_get_count(each), 1u);
    xpc_release(each), xpc_release(each);
  }
  EXPECT_STREQ(
      xpc_dictionary_get_string(XPC_ERROR_CONNECTION_INTERRUPTED, XPC_ERROR_KEY_DESCRIPTION),
      "Connection interrupted");
  EXPECT_STREQ(xpc_dictionary_get_string(XPC_ERROR_CONNECTION_INVALID, XPC_ERROR_KEY_DESCRIPTION),
               "Connection invalid");
  EXPECT_STREQ(XPC_ERROR_KEY_DESCRIPTION, "XPCErrorDescription");
}

TEST(SemanticsTypes, R030_RichErrorsHaveADescriptionAndARetryFlag) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = OPENXPC_ERROR_TIMED_OUT;
  parts.message = "too late";
  xpc_rich_error_t error = openxpc_error_create(&parts);
  owned held(error);
  EXPECT_EQ(xpc_get_type(error), XPC_TYPE_RICH_ERROR);
  EXPECT_NE(xpc_get_type(error), XPC_TYPE_ERROR);
  std::unique_ptr<char, void (*)(void*)> text(xpc_rich_error_copy_description(error), std::free);
  EXPECT_STREQ(text.get(), "too late");
  EXPECT_TRUE(xpc_rich_error_can_retry(error));
  parts.code = OPENXPC_ERROR_NOT_FOUND;
  owned final_one(openxpc_error_create(&parts));
  EXPECT_FALSE(xpc_rich_error_can_retry(
      static_cast<xpc_rich_error_t>(static_cast<xpc_object_t>(final_one))));
}

TEST(SemanticsTypes, FormatsStringsLikePrintf) {
  owned it(xpc_string_create_with_format("%s-%03d", "a", 7));
  EXPECT_STREQ(xpc_string_get_string_ptr(it), "a-007");
}

TEST(SemanticsTypes, BoxesItsOwnDuplicateOfADescriptor) {
  int mine = open("/dev/null", O_RDONLY | O_CLOEXEC);
  owned it(xpc_fd_create(mine));
  close(mine);
  int a = xpc_fd_dup(it), b = xpc_fd_dup(it);
  EXPECT_GE(a, 0);
  EXPECT_NE(a, b);
  EXPECT_TRUE(fcntl(a, F_GETFD) & FD_CLOEXEC);
  close(a), close(b);
  EXPECT_EQ(xpc_fd_create(-1), nullptr);
  EXPECT_EQ(xpc_fd_create(9999), nullptr);
}

}  // namespace
