// The typed getters and setters of arrays. Getters read the value where it stands and make no
// object.
#include "capi/array_place.hpp"
#include "capi/reading.hpp"
#include "capi/stored.hpp"
#include "object/scalar.hpp"

#include <xpc/xpc.h>

#include <bit>
#include <limits>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

void xpc_array_set_bool(xpc_object_t xarray, size_t index, bool value) {
  capi::array_put(xarray, index, object::ref<object::object>::adopt(object::the_bool(value)),
                  __func__);
}
void xpc_array_set_int64(xpc_object_t xarray, size_t index, int64_t value) {
  capi::array_put(xarray, index, object::make_int64(value), __func__);
}
void xpc_array_set_uint64(xpc_object_t xarray, size_t index, uint64_t value) {
  capi::array_put(xarray, index, object::make_uint64(value), __func__);
}
void xpc_array_set_double(xpc_object_t xarray, size_t index, double value) {
  capi::array_put(xarray, index, object::make_double(value), __func__);
}
void xpc_array_set_date(xpc_object_t xarray, size_t index, int64_t value) {
  capi::array_put(xarray, index, object::make_date(value), __func__);
}
void xpc_array_set_data(xpc_object_t xarray, size_t index, const void* bytes, size_t length) {
  capi::array_put(xarray, index, capi::data_of(bytes, length, __func__), __func__);
}
void xpc_array_set_string(xpc_object_t xarray, size_t index, const char* text) {
  capi::array_put(xarray, index, capi::string_of(text, __func__), __func__);
}
void xpc_array_set_uuid(xpc_object_t xarray, size_t index, const uuid_t uuid) {
  capi::array_put(xarray, index, capi::uuid_of(uuid, __func__), __func__);
}
void xpc_array_set_fd(xpc_object_t xarray, size_t index, int fd) {
  auto box = capi::boxed_copy_of(fd, __func__);
  if (!box) box = object::ref<object::object>::adopt(object::the_null());
  capi::array_put(xarray, index, std::move(box), __func__);
}
void xpc_array_set_connection(xpc_object_t xarray, size_t index, xpc_connection_t connection) {
  capi::array_put(xarray, index, capi::endpoint_of(connection, __func__), __func__);
}

bool xpc_array_get_bool(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_BOOL) && found.to_bool();
}
int64_t xpc_array_get_int64(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_INT64) ? static_cast<int64_t>(found.to_bits()) : 0;
}
uint64_t xpc_array_get_uint64(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_UINT64) ? found.to_bits() : 0;
}
double xpc_array_get_double(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_DOUBLE) ? std::bit_cast<double>(found.to_bits())
                                       : std::numeric_limits<double>::quiet_NaN();
}
int64_t xpc_array_get_date(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_DATE) ? static_cast<int64_t>(found.to_bits()) : 0;
}
const void* xpc_array_get_data(xpc_object_t xarray, size_t index, size_t* length) {
  auto found = capi::lookup(xarray, index);
  auto bytes = found.is(OPENXPC_TYPE_DATA) ? found.to_data() : base::bytes();
  if (length) *length = bytes.size();
  return bytes.data();
}
const char* xpc_array_get_string(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_STRING) ? found.to_string().data() : nullptr;
}
const uint8_t* xpc_array_get_uuid(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_UUID) ? reinterpret_cast<const uint8_t*>(found.to_uuid()) : nullptr;
}
int xpc_array_dup_fd(xpc_object_t xarray, size_t index) {
  auto found = capi::lookup(xarray, index);
  return found.is(OPENXPC_TYPE_FD) ? base::fd::copy(found.to_file()->get()).release() : -1;
}
xpc_connection_t xpc_array_create_connection(xpc_object_t xarray, size_t index) {
  return capi::connection_to(capi::lookup(xarray, index));
}
