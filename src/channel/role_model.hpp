#pragma once

#include "channel/waiter.hpp"

namespace openxpc::channel {

/// What tests may see of a waiter.
struct role_model {
  static bool finished(const waiter& of) { return of.is_finished(); }
};

}  // namespace openxpc::channel
