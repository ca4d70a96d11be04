#pragma once

#include <dispatch/dispatch.h>

#include <memory>

struct dispatch_source_type_s {
  int number;
};

namespace openxpc::dispatch {

class source;

/// What a source watches with. Made, used and destroyed on the manager's thread; reports by
/// source::merge().
class watch {
 public:
  virtual ~watch() = default;
  virtual void start() {}
  /// The handler for the last event has returned.
  virtual void again() {}
  virtual void set_timer(dispatch_time_t, std::uint64_t) {}
};

/// Null for the data types.
std::unique_ptr<watch> make_watch(source& with);
bool can_watch(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask) noexcept;
/// True for types that report a condition instead of an event.
bool watches_levels(dispatch_source_type_t type) noexcept;

std::unique_ptr<watch> make_timer_watch(source& with);
std::unique_ptr<watch> make_descriptor_watch(source& with);
std::unique_ptr<watch> make_process_watch(source& with);
std::unique_ptr<watch> make_signal_watch(source& with);
/// Takes back the watched signals that the program has set to be ignored since; returns when that
/// is done.
void catch_signals_again();

}  // namespace openxpc::dispatch
