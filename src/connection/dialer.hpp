#pragma once

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/function.hpp"
#include "connection/failure.hpp"

namespace openxpc::connection {

/// Finds the way to the other side of one conversation. Never blocks. Threads: one call at a time.
class dialer : public base::counted {
 public:
  struct answer {
    base::fd socket;    ///< connected, or
    error_ref failure;  ///< there is no way, for good, or neither: try again in a moment
  };
  /// Whether there is such a name at all, without touching its owner. Null: yes.
  virtual error_ref look_up() = 0;
  /// @param since  when this attempt began: owners of names that restart are waited for, not for
  /// ever.
  virtual answer dial(base::instant since) = 0;
  /// After dial() gave neither: calls `again` once, on an engine thread, as soon as it is worth
  /// another try. False: nobody will say when.
  virtual bool wait(base::function<void()> again) {
    (void)again;
    return false;
  }
};

}  // namespace openxpc::connection
