// Values described in a struct, on their way into containers.

#include "base/misuse.hpp"

#include <xpc/openxpc/value.h>
#include <xpc/xpc.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace base = openxpc::base;

namespace {

xpc_object_t boxed_fd(const char* function, int borrowed) {
  int copy = ::fcntl(borrowed, F_DUPFD_CLOEXEC, 0);
  xpc_object_t object = copy < 0 ? nullptr : openxpc_fd_create_owned(copy);
  if (!object)
    base::misuse(function, "descriptor %d cannot be duplicated: %s", borrowed,
                 std::strerror(errno));
  return object;
}

[[noreturn]] void bad_text(const char* function) {
  base::misuse(function, "text is not UTF-8 or holds a NUL character");
}

/// An owned object; null for NONE.
xpc_object_t create(const char* function, const openxpc_value_t& value) {
  switch (value.type) {
    case OPENXPC_TYPE_NONE:
      return nullptr;
    case OPENXPC_TYPE_NULL:
      return xpc_null_create();
    case OPENXPC_TYPE_BOOL:
      return xpc_bool_create(value.as.boolean);
    case OPENXPC_TYPE_INT64:
      return xpc_int64_create(value.as.int64);
    case OPENXPC_TYPE_UINT64:
      return xpc_uint64_create(value.as.uint64);
    case OPENXPC_TYPE_DOUBLE:
      return xpc_double_create(value.as.real);
    case OPENXPC_TYPE_DATE:
      return xpc_date_create(value.as.int64);
    case OPENXPC_TYPE_DATA:
      return xpc_data_create(value.size ? value.as.bytes : nullptr, value.size);
    case OPENXPC_TYPE_STRING: {
      xpc_object_t text = openxpc_string_create_with_length(value.as.text, value.size);
      if (!text) bad_text(function);
      return text;
    }
    case OPENXPC_TYPE_UUID:
      return xpc_uuid_create(static_cast<const unsigned char*>(value.as.bytes));
    case OPENXPC_TYPE_FD:
      return boxed_fd(function, value.borrowed_fd);
    default:
      if (!value.as.object)
        base::misuse(function, "a value of type %s without an object",
                     openxpc_type_name(value.type));
      return xpc_retain(value.as.object);
  }
}

}  // namespace

xpc_object_t openxpc_value_create(const openxpc_value_t* value) {
  xpc_object_t made = create("openxpc_value_create", *value);
  return made ? made : xpc_null_create();
}

void openxpc_dictionary_write(xpc_object_t dictionary, const char* key, size_t key_length,
                              const openxpc_value_t* value) {
  switch (value->type) {
    case OPENXPC_TYPE_NONE:
      openxpc_dictionary_remove(dictionary, key, key_length);
      return;
    case OPENXPC_TYPE_BOOL:
      openxpc_dictionary_set_bool(dictionary, key, key_length, value->as.boolean);
      return;
    case OPENXPC_TYPE_INT64:
      openxpc_dictionary_set_int64(dictionary, key, key_length, value->as.int64);
      return;
    case OPENXPC_TYPE_UINT64:
      openxpc_dictionary_set_uint64(dictionary, key, key_length, value->as.uint64);
      return;
    case OPENXPC_TYPE_DOUBLE:
      openxpc_dictionary_set_double(dictionary, key, key_length, value->as.real);
      return;
    case OPENXPC_TYPE_DATE:
      openxpc_dictionary_set_date(dictionary, key, key_length, value->as.int64);
      return;
    case OPENXPC_TYPE_DATA:
      openxpc_dictionary_set_data(dictionary, key, key_length,
                                  value->size ? value->as.bytes : nullptr, value->size);
      return;
    case OPENXPC_TYPE_STRING:
      if (!openxpc_dictionary_set_string(dictionary, key, key_length, value->as.text, value->size))
        bad_text("openxpc_dictionary_write");
      return;
    case OPENXPC_TYPE_UUID:
      openxpc_dictionary_set_uuid(dictionary, key, key_length,
                                  static_cast<const std::uint8_t*>(value->as.bytes));
      return;
    default:
      openxpc_dictionary_put(dictionary, key, key_length,
                             create("openxpc_dictionary_write", *value));
  }
}

void openxpc_array_write(xpc_object_t array, size_t index, const openxpc_value_t* value) {
  xpc_object_t made = create("openxpc_array_write", *value);
  openxpc_array_put(array, index, made ? made : xpc_null_create());
}

xpc_object_t openxpc_dictionary_create() { return xpc_dictionary_create_empty(); }
xpc_object_t openxpc_array_create() { return xpc_array_create_empty(); }
xpc_object_t openxpc_array_get_value(xpc_object_t array, size_t index) {
  return index < xpc_array_get_count(array) ? xpc_array_get_value(array, index) : nullptr;
}

bool openxpc_object_equal(xpc_object_t one, xpc_object_t other) { return xpc_equal(one, other); }
size_t openxpc_object_hash(xpc_object_t object) { return xpc_hash(object); }
char* openxpc_object_copy_description(xpc_object_t object) { return xpc_copy_description(object); }

int openxpc_fd_duplicate(int borrowed_fd) { return ::fcntl(borrowed_fd, F_DUPFD_CLOEXEC, 0); }
void openxpc_fd_close(int owned_fd) {
  if (owned_fd >= 0) ::close(owned_fd);
}
