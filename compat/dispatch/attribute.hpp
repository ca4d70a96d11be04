#pragma once

#include <dispatch/dispatch.h>

namespace openxpc::dispatch {

/// What an attribute says. The null attribute is a serial queue.
struct attribute {
  bool concurrent = false, inactive = false;
  dispatch_qos_class_t qos = QOS_CLASS_UNSPECIFIED;
  int relative_priority = 0;
};

/// Misuse by `caller` when it is none of ours.
attribute attribute_of(dispatch_queue_attr_t handle, const char* caller) noexcept;
bool is_attribute(const void* at) noexcept;
bool is_qos(dispatch_qos_class_t qos) noexcept;

}  // namespace openxpc::dispatch
