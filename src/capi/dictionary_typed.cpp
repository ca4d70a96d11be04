// The typed getters and setters of dictionaries. Getters read the value where it stands and make no
// object.
#include "capi/plain.hpp"
#include "capi/reading.hpp"
#include "capi/stored.hpp"

#include <xpc/xpc.h>

#include <bit>
#include <limits>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

void put(xpc_object_t xdict, const char* key, object::ref<object::object> value,
         const char* function) {
  auto& in = capi::dictionary_to_change(xdict, function);
  auto name = capi::need_key(key, function);
  if (value)
    in.set(name, std::move(value));
  else
    in.remove(name);
}

/// The dictionary, and the key, checked.
struct target {
  target(xpc_object_t xdict, const char* name, const char* function)
      : in(capi::dictionary_to_change(xdict, function)), key(capi::need_key(name, function)) {}
  object::dictionary& in;
  std::string_view key;
};

object::item find(xpc_object_t xdict, const char* key, const char* function) {
  return capi::lookup(xdict, capi::need_key(key, function));
}

}  // namespace

void xpc_dictionary_set_bool(xpc_object_t xdict, const char* key, bool value) {
  target to(xdict, key, __func__);
  capi::put_bool(to.in, to.key, value);
}
void xpc_dictionary_set_int64(xpc_object_t xdict, const char* key, int64_t value) {
  target to(xdict, key, __func__);
  capi::put_int64(to.in, to.key, value);
}
void xpc_dictionary_set_uint64(xpc_object_t xdict, const char* key, uint64_t value) {
  target to(xdict, key, __func__);
  capi::put_uint64(to.in, to.key, value);
}
void xpc_dictionary_set_double(xpc_object_t xdict, const char* key, double value) {
  target to(xdict, key, __func__);
  capi::put_double(to.in, to.key, value);
}
void xpc_dictionary_set_date(xpc_object_t xdict, const char* key, int64_t value) {
  target to(xdict, key, __func__);
  capi::put_date(to.in, to.key, value);
}
void xpc_dictionary_set_data(xpc_object_t xdict, const char* key, const void* bytes,
                             size_t length) {
  target to(xdict, key, __func__);
  capi::put_data(to.in, to.key, bytes, length, __func__);
}
void xpc_dictionary_set_string(xpc_object_t xdict, const char* key, const char* text) {
  target to(xdict, key, __func__);
  capi::need_pointer(text, "the string", __func__);
  capi::put_string(to.in, to.key, text, base::is_utf8(text));
}
void xpc_dictionary_set_uuid(xpc_object_t xdict, const char* key, const uuid_t uuid) {
  target to(xdict, key, __func__);
  capi::put_uuid(to.in, to.key, uuid, __func__);
}
void xpc_dictionary_set_fd(xpc_object_t xdict, const char* key, int fd) {
  put(xdict, key, capi::boxed_copy_of(fd, __func__), __func__);
}
void xpc_dictionary_set_connection(xpc_object_t xdict, const char* key,
                                   xpc_connection_t connection) {
  put(xdict, key, capi::endpoint_of(connection, __func__), __func__);
}

bool xpc_dictionary_get_bool(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_BOOL) && found.to_bool();
}
int64_t xpc_dictionary_get_int64(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_INT64) ? static_cast<int64_t>(found.to_bits()) : 0;
}
uint64_t xpc_dictionary_get_uint64(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_UINT64) ? found.to_bits() : 0;
}
double xpc_dictionary_get_double(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_DOUBLE) ? std::bit_cast<double>(found.to_bits())
                                       : std::numeric_limits<double>::quiet_NaN();
}
int64_t xpc_dictionary_get_date(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_DATE) ? static_cast<int64_t>(found.to_bits()) : 0;
}
const void* xpc_dictionary_get_data(xpc_object_t xdict, const char* key, size_t* length) {
  auto found = find(xdict, key, __func__);
  auto bytes = found.is(OPENXPC_TYPE_DATA) ? found.to_data() : base::bytes();
  if (length) *length = bytes.size();
  return bytes.data();
}
const char* xpc_dictionary_get_string(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_STRING) ? found.to_string().data() : nullptr;
}
const uint8_t* xpc_dictionary_get_uuid(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_UUID) ? reinterpret_cast<const uint8_t*>(found.to_uuid()) : nullptr;
}
int xpc_dictionary_dup_fd(xpc_object_t xdict, const char* key) {
  auto found = find(xdict, key, __func__);
  return found.is(OPENXPC_TYPE_FD) ? base::fd::copy(found.to_file()->get()).release() : -1;
}
xpc_connection_t xpc_dictionary_create_connection(xpc_object_t xdict, const char* key) {
  return capi::connection_to(find(xdict, key, __func__));
}
