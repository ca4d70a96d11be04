#include <dispatch/dispatch.h>
#include <xpc/openxpc/dispatch.h>

#include "dispatch/queue.hpp"
#include "dispatch/root.hpp"

// How libxpc gets to know this library. In most programs the constructor registers the table: the
// symbol is weak because a program may use queues without XPC. Where libxpc comes into the process
// later, it finds the table by its name.

extern "C" __attribute__((weak)) void openxpc_dispatch_register(
    const struct openxpc_dispatch_table_s* table);

namespace {

using namespace openxpc::dispatch;

dispatch_queue_t as_queue(void* queue) { return static_cast<dispatch_queue_t>(queue); }
dispatch_data_t as_data(void* data) { return static_cast<dispatch_data_t>(data); }
dispatch_object_t as_object(void* object) { return static_cast<dispatch_object_t>(object); }

void retain(void* object) { dispatch_retain(as_object(object)); }
void release(void* object) { dispatch_release(as_object(object)); }

}  // namespace

extern "C" __attribute__((visibility("default")))
const openxpc_dispatch_table_s openxpc_dispatch_table;
extern "C" const openxpc_dispatch_table_s openxpc_dispatch_table{
    .size = sizeof(openxpc_dispatch_table_s),
    .name = "libxpc-dispatch",
    .retain = retain,
    .release = release,
    .async_f = [](void* q, void* context,
                  void (*work)(void*)) { dispatch_async_f(as_queue(q), context, work); },
    .barrier_async_f =
        [](void* q, void* context, void (*work)(void*)) {
          dispatch_barrier_async_f(as_queue(q), context, work);
        },
    .sync_f = [](void* q, void* context,
                 void (*work)(void*)) { dispatch_sync_f(as_queue(q), context, work); },
    .queue_get_label = [](void* q) { return dispatch_queue_get_label(as_queue(q)); },
    .get_default_queue = []() -> void* {
      return dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_DEFAULT, 0);
    },
    .get_main_queue = []() -> void* { return dispatch_get_main_queue(); },
    .is_current = [](void* q) { return frame::holds(as<queue>(as_queue(q), "xpc")); },
    .queue_set_specific =
        [](void* q, const void* key, void* context, void (*destructor)(void*)) {
          dispatch_queue_set_specific(as_queue(q), key, context, destructor);
        },
    .get_specific = dispatch_get_specific,
    .main = [] { dispatch_main(); },
    .data_get_size = [](void* d) { return dispatch_data_get_size(as_data(d)); },
    .data_create_map = [](void* d, const void** bytes, size_t* size) -> void* {
      return dispatch_data_create_map(as_data(d), bytes, size);
    },
    .data_retain = retain,
    .data_release = release,
};

namespace {

[[gnu::constructor]] void offer_table() {
  if (openxpc_dispatch_register) openxpc_dispatch_register(&openxpc_dispatch_table);
}

}  // namespace
