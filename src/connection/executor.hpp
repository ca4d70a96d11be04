#pragma once

#include "base/function.hpp"
#include "base/ref.hpp"

namespace openxpc::connection {

/// Where a conversation's handlers run. A null reference means the engine thread that received, or
/// any engine thread.
class executor : public base::counted {
 public:
  /// Runs `work` exactly once, later or on another thread, never inside this call.
  virtual void post(base::function<void()> work) = 0;
};

}  // namespace openxpc::connection
