#include "dispatch/watch.hpp"

#include <csignal>

#include "dispatch/source.hpp"

extern "C" {
const dispatch_source_type_s _dispatch_source_type_data_add{0};
const dispatch_source_type_s _dispatch_source_type_data_or{1};
const dispatch_source_type_s _dispatch_source_type_data_replace{2};
const dispatch_source_type_s _dispatch_source_type_proc{3};
const dispatch_source_type_s _dispatch_source_type_read{4};
const dispatch_source_type_s _dispatch_source_type_write{5};
const dispatch_source_type_s _dispatch_source_type_signal{6};
const dispatch_source_type_s _dispatch_source_type_timer{7};
// Names without a watch behind them.
const dispatch_source_type_s _dispatch_source_type_mach_send{8};
const dispatch_source_type_s _dispatch_source_type_mach_recv{9};
const dispatch_source_type_s _dispatch_source_type_memorypressure{10};
const dispatch_source_type_s _dispatch_source_type_vnode{11};
}

namespace openxpc::dispatch {

bool can_watch(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask) noexcept {
  if (type == DISPATCH_SOURCE_TYPE_TIMER) return (mask & ~uintptr_t{DISPATCH_TIMER_STRICT}) == 0;
  if (type == DISPATCH_SOURCE_TYPE_READ || type == DISPATCH_SOURCE_TYPE_WRITE)
    return static_cast<intptr_t>(handle) >= 0;
  if (type == DISPATCH_SOURCE_TYPE_SIGNAL)
    return handle > 0 && handle < NSIG && handle != SIGKILL && handle != SIGSTOP;
  if (type == DISPATCH_SOURCE_TYPE_PROC)
    return static_cast<intptr_t>(handle) > 0 && (mask & DISPATCH_PROC_EXIT) != 0;
  return type == DISPATCH_SOURCE_TYPE_DATA_ADD || type == DISPATCH_SOURCE_TYPE_DATA_OR ||
         type == DISPATCH_SOURCE_TYPE_DATA_REPLACE;
}

bool watches_levels(dispatch_source_type_t type) noexcept {
  return type == DISPATCH_SOURCE_TYPE_READ || type == DISPATCH_SOURCE_TYPE_WRITE;
}

std::unique_ptr<watch> make_watch(source& with) {
  auto type = with.type();
  if (type == DISPATCH_SOURCE_TYPE_TIMER) return make_timer_watch(with);
  if (type == DISPATCH_SOURCE_TYPE_READ || type == DISPATCH_SOURCE_TYPE_WRITE)
    return make_descriptor_watch(with);
  if (type == DISPATCH_SOURCE_TYPE_PROC) return make_process_watch(with);
  if (type == DISPATCH_SOURCE_TYPE_SIGNAL) return make_signal_watch(with);
  return nullptr;
}

}  // namespace openxpc::dispatch
