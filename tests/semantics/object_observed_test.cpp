// observed.md, rules 301 to 316: what shipped programs assume about objects.
#include <xpc/openxpc/connection.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <vector>

#include "semantics/owned.hpp"

using semantics::arrived;
using semantics::described;
using semantics::owned;

namespace {

TEST(SemanticsObserved, R301_TypeNamesAreBare) {
  const std::map<xpc_type_t, std::string> names = {
      {XPC_TYPE_NULL, "null"},
      {XPC_TYPE_BOOL, "bool"},
      {XPC_TYPE_INT64, "int64"},
      {XPC_TYPE_UINT64, "uint64"},
      {XPC_TYPE_DOUBLE, "double"},
      {XPC_TYPE_DATE, "date"},
      {XPC_TYPE_DATA, "data"},
      {XPC_TYPE_STRING, "string"},
      {XPC_TYPE_UUID, "uuid"},
      {XPC_TYPE_FD, "fd"},
      {XPC_TYPE_ARRAY, "array"},
      {XPC_TYPE_DICTIONARY, "dictionary"},
      {XPC_TYPE_ERROR, "error"},
      {XPC_TYPE_ENDPOINT, "endpoint"},
      {XPC_TYPE_CONNECTION, "connection"},
  };
  for (const auto& [type, name] : names) EXPECT_EQ(xpc_type_get_name(type), name);
}

// Addresses of data symbols are constants: this would not compile, or not be static, with a call
// behind the macro.
const xpc_type_t static_types[] = {XPC_TYPE_STRING, XPC_TYPE_DICTIONARY};
const xpc_object_t static_objects[] = {XPC_BOOL_TRUE, XPC_ERROR_CONNECTION_INVALID};

TEST(SemanticsObserved, R302_TypesErrorsAndBooleansAreAddressesOfData) {
  owned text(xpc_string_create("x"));
  EXPECT_EQ(xpc_get_type(text), static_types[0]);
  EXPECT_EQ(xpc_bool_create(true), static_objects[0]);
  EXPECT_EQ(xpc_get_type(static_objects[1]), XPC_TYPE_ERROR);
}

TEST(SemanticsObserved, R303_ContainersKeepTheVeryObject) {
  owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  owned number(xpc_int64_create(5)), text(xpc_string_create("t"));
  xpc_dictionary_set_value(in, "n", number);
  xpc_array_append_value(list, text);
  EXPECT_EQ(xpc_dictionary_get_value(in, "n"), number);
  EXPECT_EQ(xpc_array_get_value(list, 0), text);
  // Of a received message: the same one each time, also after a change elsewhere in it.
  xpc_dictionary_set_value(in, "list", list);
  owned got = arrived(in);
  xpc_object_t first = xpc_dictionary_get_value(got, "n");
  EXPECT_EQ(xpc_dictionary_get_value(got, "n"), first);
  xpc_object_t list_then = xpc_dictionary_get_array(got, "list");
  xpc_object_t element = xpc_array_get_value(list_then, 0);
  xpc_dictionary_set_int64(got, "other", 1);
  xpc_array_append_value(list_then, number);
  EXPECT_EQ(xpc_dictionary_get_value(got, "n"), first);
  EXPECT_EQ(xpc_dictionary_get_value(got, "list"), list_then);
  EXPECT_EQ(xpc_array_get_value(list_then, 0), element);
}

TEST(SemanticsObserved, R304_EmptyContainersAndAppend) {
  owned list(xpc_array_create(nullptr, 0)), in(xpc_dictionary_create(nullptr, nullptr, 0));
  EXPECT_EQ(xpc_array_get_count(list), 0u);
  EXPECT_EQ(xpc_dictionary_get_count(in), 0u);
  xpc_array_set_value(list, XPC_ARRAY_APPEND, XPC_BOOL_TRUE);
  xpc_array_set_string(list, XPC_ARRAY_APPEND, "x");
  EXPECT_EQ(xpc_array_get_count(list), 2u);
}

TEST(SemanticsObserved, R308_ErrorSingletonsCompareByIdentity) {
  EXPECT_TRUE(xpc_equal(XPC_ERROR_CONNECTION_INVALID, XPC_ERROR_CONNECTION_INVALID));
  EXPECT_FALSE(xpc_equal(XPC_ERROR_CONNECTION_INVALID, XPC_ERROR_CONNECTION_INTERRUPTED));
  EXPECT_EQ(xpc_copy(XPC_ERROR_CONNECTION_INVALID), XPC_ERROR_CONNECTION_INVALID);
}

TEST(SemanticsObserved, R309_EndpointsCompareByTheirListener) {
  auto socket_path = "r309.socket";
  auto make = [&] {
    int fd = open(socket_path, O_PATH | O_CLOEXEC);
    return owned(openxpc_endpoint_create_from_fd(fd));
  };
  ASSERT_EQ(mknod(socket_path, S_IFSOCK | 0600, 0), 0);
  owned a = make(), b = make();
  ASSERT_TRUE(a);
  EXPECT_TRUE(xpc_equal(a, b));
  EXPECT_EQ(xpc_hash(a), xpc_hash(b));
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(in, "e", a);
  EXPECT_TRUE(xpc_equal(xpc_dictionary_get_value(in, "e"), b));
  unlink(socket_path);
  EXPECT_TRUE(xpc_equal(a, b));
  EXPECT_EQ(openxpc_endpoint_create_from_fd(-1), nullptr);
}

TEST(SemanticsObserved, R043_SetConnectionStoresAnEndpointAndCreateConnectionMakesAnotherEachTime) {
  xpc_connection_t listener = xpc_connection_create(nullptr, nullptr);
  owned in(xpc_dictionary_create_empty()), list(xpc_array_create_empty());
  xpc_dictionary_set_connection(in, "c", listener);
  xpc_array_set_connection(list, XPC_ARRAY_APPEND, listener);
  EXPECT_EQ(xpc_get_type(xpc_dictionary_get_value(in, "c")), XPC_TYPE_ENDPOINT);
  EXPECT_TRUE(xpc_equal(xpc_dictionary_get_value(in, "c"), xpc_array_get_value(list, 0)));
  owned own_endpoint(xpc_endpoint_create(listener));
  EXPECT_TRUE(xpc_equal(xpc_dictionary_get_value(in, "c"), own_endpoint));
  std::vector<xpc_connection_t> made = {xpc_dictionary_create_connection(in, "c"),
                                        xpc_dictionary_create_connection(in, "c"),
                                        xpc_array_create_connection(list, 0)};
  for (std::size_t i = 0; i < made.size(); ++i) {
    ASSERT_NE(made[i], nullptr);
    EXPECT_EQ(xpc_get_type(made[i]), XPC_TYPE_CONNECTION);
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(made[i], made[k]);
  }
  EXPECT_TRUE(xpc_equal(made[0], made[0]));
  EXPECT_FALSE(xpc_equal(made[0], made[1]));
  EXPECT_EQ(xpc_copy(made[0]), nullptr);
  made.push_back(listener);
  for (xpc_connection_t each : made) {
    xpc_connection_set_event_handler_f(each, nullptr, [](xpc_object_t, void*) {});
    xpc_connection_activate(each);
    xpc_connection_cancel(each);
    xpc_release(each);
  }
}

TEST(SemanticsObserved, R310_DatesBefore1970SurviveARoundTrip) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_date(in, "d", -62'135'596'800'000'000);
  owned got = arrived(in);
  EXPECT_EQ(xpc_dictionary_get_date(got, "d"), -62'135'596'800'000'000);
  EXPECT_EQ(xpc_date_get_value(xpc_dictionary_get_value(got, "d")), -62'135'596'800'000'000);
}

TEST(SemanticsObserved, R315_MissingOrWrongReadsAsNothing) {
  owned in(xpc_dictionary_create_empty());
  xpc_dictionary_set_string(in, "status", "fine");
  owned got = arrived(in);
  EXPECT_EQ(xpc_dictionary_get_int64(got, "status"), 0);
  EXPECT_EQ(xpc_dictionary_get_string(got, "error"), nullptr);
  EXPECT_FALSE(xpc_dictionary_get_bool(got, "error"));
}

TEST(SemanticsObserved, R316_ErrorsDescribeThemselvesAsPrograms_Log) {
  EXPECT_EQ(described(XPC_ERROR_CONNECTION_INVALID),
            "<error> { count = 1, contents =\n"
            "\t\"XPCErrorDescription\" => <string> { length = 18, contents = \"Connection "
            "invalid\" }\n}");
}

}  // namespace
