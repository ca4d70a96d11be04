#pragma once

#include "connection/executor.hpp"

#include <xpc/openxpc/conversation.h>
#include <xpc/xpc.h>

namespace openxpc::capi {

/// A dispatch queue as an executor; retains it. Null for a null queue: the engine is the default
/// concurrent queue (rule 329).
base::ref<connection::executor> executor_of(dispatch_queue_t queue, const char* function);

/// The queue behind such an executor; null for any other.
void* queue_of(const base::ref<connection::executor>& where) noexcept;

/// A program's own executor; its context is released with the last reference. Null when it has no
/// post().
base::ref<connection::executor> executor_of(const openxpc_executor_s* given);

}  // namespace openxpc::capi
