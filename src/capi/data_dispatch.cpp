#include "base/misuse.hpp"
#include "capi/dispatch_table.hpp"
#include "capi/handle.hpp"
#include "object/data.hpp"

#include <xpc/xpc.h>

// A data object that lends the bytes of a dispatch data object and gives its reference back in the
// end.

namespace capi = openxpc::capi;
namespace object = openxpc::object;

xpc_object_t xpc_data_create_with_dispatch_data(dispatch_data_t ddata) {
  capi::need_pointer(ddata, "the dispatch data", __func__);
  auto& dispatch = capi::dispatch_table(__func__);
  if (!dispatch.data_create_map)
    openxpc::base::misuse(__func__, "%s has no data objects", dispatch.name);
  const void* bytes = nullptr;
  size_t size = 0;
  void* map = dispatch.data_create_map(ddata, &bytes, &size);
  if (!map) return nullptr;
  return capi::give(
      object::data::borrow({static_cast<const std::byte*>(bytes), size}, map,
                           [](void* kept) { capi::dispatch_table_if_any()->data_release(kept); }));
}
