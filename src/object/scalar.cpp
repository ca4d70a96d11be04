#include "object/scalar.hpp"

#include <algorithm>
#include <bit>

extern "C" {
constinit const _xpc_bool_s _xpc_bool_true{true};
constinit const _xpc_bool_s _xpc_bool_false{false};
}

namespace openxpc::object {
namespace {

constinit null one_null;

ref<object> make(kind what, std::uint64_t bits) {
  return ref<object>::adopt(new scalar(what, bits));
}

}  // namespace

object* the_null() noexcept { return &one_null; }

object* the_bool(bool value) noexcept {
  // Handles are not const; nothing writes to an immortal object.
  return const_cast<_xpc_bool_s*>(value ? &_xpc_bool_true : &_xpc_bool_false);
}

ref<object> make_int64(std::int64_t value) {
  return make(OPENXPC_TYPE_INT64, static_cast<std::uint64_t>(value));
}
ref<object> make_uint64(std::uint64_t value) { return make(OPENXPC_TYPE_UINT64, value); }
ref<object> make_double(double value) {
  return make(OPENXPC_TYPE_DOUBLE, std::bit_cast<std::uint64_t>(value));
}
ref<object> make_date(std::int64_t nanoseconds) {
  return make(OPENXPC_TYPE_DATE, static_cast<std::uint64_t>(nanoseconds));
}

uuid::uuid(std::span<const std::byte, 16> content) noexcept : object(its_kind) {
  std::ranges::copy(content, bytes_.begin());
}

}  // namespace openxpc::object
