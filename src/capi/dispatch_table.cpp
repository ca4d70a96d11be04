#include "capi/dispatch_table.hpp"

#include "base/misuse.hpp"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

// One libdispatch, or none. Three ways lead to a table: a library that knows libxpc registers
// itself; libxpc-dispatch that was loaded before libxpc existed in the process is found by the name
// of its table; a libdispatch that knows nothing of libxpc is found by the names of its functions.
// Weak symbols would stay null in static links, under --as-needed and with plug-ins, so the last
// two are asked for by dlsym().

namespace openxpc::capi {
namespace {

std::atomic<const openxpc_dispatch_table_s*> registered{nullptr};
std::mutex lock;
openxpc_dispatch_table_s found;  // what was made out of single functions

// The functions of libdispatch that have no counterpart with the table's signature.
void* (*found_get_global_queue)(long identifier, unsigned long flags);
void* found_main_queue;

void* default_queue() { return found_get_global_queue(0, 0); }
void* main_queue() { return found_main_queue; }

/// False with the slot untouched when there is no such symbol.
template <class F>
bool look_up(void* handle, const char* symbol, F*& slot) noexcept {
  void* at = ::dlsym(handle, symbol);
  if (at) slot = reinterpret_cast<F*>(at);
  return at != nullptr;
}

bool offer(const openxpc_dispatch_table_s* table) noexcept {
  const openxpc_dispatch_table_s* none = nullptr;
  return registered.compare_exchange_strong(none, table, std::memory_order_acq_rel) ||
         none == table;
}

/// Registers what the handle's symbols offer. The lock is held.
bool search(void* handle) noexcept {
  const openxpc_dispatch_table_s* ready = nullptr;
  if (look_up(handle, "openxpc_dispatch_table", ready)) return offer(ready);
  if (registered.load(std::memory_order_acquire)) return false;
  openxpc_dispatch_table_s table{};
  table.size = sizeof table;
  table.name = "libdispatch";
  bool queues = look_up(handle, "dispatch_retain", table.retain) &&
                look_up(handle, "dispatch_release", table.release) &&
                look_up(handle, "dispatch_async_f", table.async_f) &&
                look_up(handle, "dispatch_barrier_async_f", table.barrier_async_f) &&
                look_up(handle, "dispatch_sync_f", table.sync_f) &&
                look_up(handle, "dispatch_queue_get_label", table.queue_get_label) &&
                look_up(handle, "dispatch_queue_set_specific", table.queue_set_specific) &&
                look_up(handle, "dispatch_get_specific", table.get_specific) &&
                look_up(handle, "dispatch_main", table.main) &&
                look_up(handle, "dispatch_get_global_queue", found_get_global_queue);
  found_main_queue = ::dlsym(handle, "_dispatch_main_q");
  if (!queues || !found_main_queue) return false;
  table.get_default_queue = default_queue;
  table.get_main_queue = main_queue;
  if (look_up(handle, "dispatch_data_get_size", table.data_get_size) &&
      look_up(handle, "dispatch_data_create_map", table.data_create_map)) {
    table.data_retain = table.retain;
    table.data_release = table.release;
  } else {
    table.data_get_size = nullptr;
  }
  found = table;
  return offer(&found);
}

}  // namespace

const openxpc_dispatch_table_s* dispatch_table_if_any() noexcept {
  if (auto* table = registered.load(std::memory_order_acquire)) return table;
  std::lock_guard guard(lock);
  if (!registered.load(std::memory_order_acquire)) search(RTLD_DEFAULT);
  return registered.load(std::memory_order_acquire);
}

const openxpc_dispatch_table_s& dispatch_table(const char* caller) {
  if (auto* table = dispatch_table_if_any()) return *table;
  base::misuse(
      caller,
      "a dispatch queue was passed, but this process has no dispatch library: link libxpc-dispatch "
      "(pkg-config openxpc-dispatch) or a libdispatch, or name it by "
      "openxpc_dispatch_use_library()");
}

bool runs_on_queue(void* queue, const char* caller) {
  if (!queue) return false;
  auto& table = dispatch_table(caller);
  if (table.is_current) return table.is_current(queue);
  // A value under a key of the queue's own is seen exactly on the queue and on those that target
  // it.
  table.queue_set_specific(queue, queue, queue, nullptr);
  return table.get_specific(queue) == queue;
}

}  // namespace openxpc::capi

using namespace openxpc;

void openxpc_dispatch_register(const openxpc_dispatch_table_s* table) {
  if (!table || table->size < sizeof(openxpc_dispatch_table_s))
    base::misuse("openxpc_dispatch_register", "the table is null or smaller than this library's");
  capi::offer(table);
}

bool openxpc_dispatch_use_library(void* handle) {
  std::lock_guard guard(capi::lock);
  return capi::search(handle);
}
