#pragma once

#include <xpc/openxpc/dispatch.h>

namespace openxpc::capi {

/// The functions of the process's dispatch library; found when first asked for. Without one this is
/// misuse by `caller`, with a text that names what is missing.
const openxpc_dispatch_table_s& dispatch_table(const char* caller);

/// The same, or null when there is no dispatch library.
const openxpc_dispatch_table_s* dispatch_table_if_any() noexcept;

/// Whether the calling thread runs on that queue or below it (rule 142). A null queue is never
/// current.
bool runs_on_queue(void* queue, const char* caller);

}  // namespace openxpc::capi
