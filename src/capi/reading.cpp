#include "capi/reading.hpp"

#include "object/array.hpp"

#include <bit>

namespace openxpc::capi {

object::item lookup(xpc_object_t handle, std::string_view key) {
  if (auto* in = object::as<object::dictionary>(handle)) return in->find(key);
  if (auto* in = object::as<object::error>(handle))
    if (key == object::error_description_key) return object::item(in->description);
  return {};
}

object::item lookup(xpc_object_t handle, std::size_t index) {
  auto* in = object::as<object::array>(handle);
  return in ? in->find(index) : object::item();
}

openxpc_value_t to_value(const object::item& from) {
  openxpc_value_t out{};
  out.borrowed_fd = -1;
  if (!from) return out;
  out.type = from.what();
  switch (out.type) {
    case OPENXPC_TYPE_BOOL:
      out.as.boolean = from.to_bool();
      break;
    case OPENXPC_TYPE_INT64:
    case OPENXPC_TYPE_DATE:
      out.as.int64 = static_cast<std::int64_t>(from.to_bits());
      break;
    case OPENXPC_TYPE_UINT64:
      out.as.uint64 = from.to_bits();
      break;
    case OPENXPC_TYPE_DOUBLE:
      out.as.real = std::bit_cast<double>(from.to_bits());
      break;
    case OPENXPC_TYPE_STRING:
      out.as.text = from.to_string().data();
      out.size = from.to_string().size();
      break;
    case OPENXPC_TYPE_DATA:
      out.as.bytes = from.to_data().data();
      out.size = from.to_data().size();
      break;
    case OPENXPC_TYPE_UUID:
      out.as.bytes = from.to_uuid();
      break;
    case OPENXPC_TYPE_FD:
    case OPENXPC_TYPE_SHMEM:
    case OPENXPC_TYPE_ENDPOINT:
      out.borrowed_fd = from.to_file()->get();
      out.as.object = from.made();
      break;
    case OPENXPC_TYPE_ARRAY:
    case OPENXPC_TYPE_DICTIONARY:
      out.size = from.count();
      out.as.object = from.made();
      break;
    default:
      out.as.object = from.made();
  }
  return out;
}

}  // namespace openxpc::capi
