#pragma once

#include "dispatch/queue.hpp"

namespace openxpc::dispatch {

/// The concurrent queues of the process, which run on the pool. Null for what is no service class.
queue* global_queue(dispatch_qos_class_t qos) noexcept;
queue& default_queue() noexcept;
/// The serial queue of the main thread.
queue& main_queue() noexcept;
bool on_main_thread() noexcept;
/// Runs what is queued for the main thread, for ever.
[[noreturn]] void run_main();

}  // namespace openxpc::dispatch
