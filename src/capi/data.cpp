#include "object/data.hpp"

#include "base/misuse.hpp"
#include "capi/handle.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <algorithm>
#include <cstring>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

xpc_object_t xpc_data_create(const void* bytes, size_t length) {
  if (length) capi::need_pointer(bytes, "the bytes", __func__);
  return capi::give(object::data::copy_of({static_cast<const std::byte*>(bytes), length}));
}

size_t xpc_data_get_length(xpc_object_t xdata) {
  auto* any = object::as<object::data>(xdata);
  return any ? any->bytes().size() : 0;
}

const void* xpc_data_get_bytes_ptr(xpc_object_t xdata) {
  auto* any = object::as<object::data>(xdata);
  return any ? any->bytes().data() : nullptr;
}

size_t xpc_data_get_bytes(xpc_object_t xdata, void* buffer, size_t offset, size_t length) {
  auto* any = object::as<object::data>(xdata);
  if (!any || offset >= any->bytes().size()) return 0;
  size_t count = std::min(length, any->bytes().size() - offset);
  if (count == 0) return 0;
  capi::need_pointer(buffer, "the buffer", __func__);
  std::memcpy(buffer, any->bytes().data() + offset, count);
  return count;
}

xpc_object_t openxpc_data_create_with_owner(const void* bytes, size_t size, void* context,
                                            void (*release)(void* context)) {
  if (size) capi::need_pointer(bytes, "the bytes", __func__);
  return capi::give(
      object::data::borrow({static_cast<const std::byte*>(bytes), size}, context, release));
}

xpc_object_t openxpc_data_create_blank(size_t capacity, void** bytes) {
  capi::need_pointer(bytes, "the place for the pointer", __func__);
  auto made = object::data::blank(capacity);
  if (!made) return nullptr;
  *bytes = made->fill();
  return capi::give(std::move(made));
}

void openxpc_data_finish(xpc_object_t handle, size_t size) {
  auto& filled = capi::need_as<object::data>(handle, __func__);
  if (filled.finish(size)) return;
  if (!filled.fill()) base::misuse(__func__, "the data object is not being filled");
  base::misuse(__func__, "%zu bytes are more than the %zu it has room for", size,
               filled.bytes().size());
}
