// Null, Booleans, numbers, dates, UUIDs.
#include "object/scalar.hpp"

#include "capi/handle.hpp"
#include "object/item.hpp"

#include <xpc/xpc.h>

#include <bit>
#include <ctime>
#include <limits>

namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

/// The 64 bits of a scalar of that kind, else `otherwise`.
std::uint64_t bits_of(xpc_object_t handle, object::kind wanted, std::uint64_t otherwise) noexcept {
  auto* any = static_cast<object::object*>(handle);
  return any && any->what() == wanted ? static_cast<object::scalar*>(any)->bits() : otherwise;
}

}  // namespace

xpc_object_t xpc_null_create(void) { return object::the_null(); }

xpc_object_t xpc_bool_create(bool value) { return object::the_bool(value); }
bool xpc_bool_get_value(xpc_object_t xbool) {
  auto* any = object::as<_xpc_bool_s>(xbool);
  return any && any->value;
}

xpc_object_t xpc_int64_create(int64_t value) { return capi::give(object::make_int64(value)); }
int64_t xpc_int64_get_value(xpc_object_t xint) {
  return static_cast<int64_t>(bits_of(xint, OPENXPC_TYPE_INT64, 0));
}

xpc_object_t xpc_uint64_create(uint64_t value) { return capi::give(object::make_uint64(value)); }
uint64_t xpc_uint64_get_value(xpc_object_t xuint) { return bits_of(xuint, OPENXPC_TYPE_UINT64, 0); }

xpc_object_t xpc_double_create(double value) { return capi::give(object::make_double(value)); }
double xpc_double_get_value(xpc_object_t xdouble) {
  constexpr auto nan = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());
  return std::bit_cast<double>(bits_of(xdouble, OPENXPC_TYPE_DOUBLE, nan));
}

xpc_object_t xpc_date_create(int64_t interval) { return capi::give(object::make_date(interval)); }
xpc_object_t xpc_date_create_from_current(void) {
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return xpc_date_create(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
}
int64_t xpc_date_get_value(xpc_object_t xdate) {
  return static_cast<int64_t>(bits_of(xdate, OPENXPC_TYPE_DATE, 0));
}

xpc_object_t xpc_uuid_create(const uuid_t uuid) {
  capi::need_pointer(uuid, "the UUID", __func__);
  return capi::give(openxpc::base::make_ref<object::uuid>(
      std::span<const std::byte, 16>(reinterpret_cast<const std::byte*>(uuid), 16)));
}
const uint8_t* xpc_uuid_get_bytes(xpc_object_t xuuid) {
  auto* any = object::as<object::uuid>(xuuid);
  return any ? reinterpret_cast<const uint8_t*>(any->bytes()) : nullptr;
}
