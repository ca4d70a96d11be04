#pragma once

#include "base/ref.hpp"
#include "channel/channel.hpp"
#include "connection/failure.hpp"

namespace openxpc::connection {

class conversation;

/// Whoever sent a request or a subscription: what the channel carries as its context. Called under
/// the reader role: must not block and must not run anything of the program's.
class asker : public base::counted {
 public:
  /// An answer, a row or a report came. `over` lives at least as long as the call.
  virtual void answered(channel::arrival&& what, channel::channel& over) = 0;
  virtual void unanswered(error_ref why) = 0;
  /// It has left (or waits in the channel) under this id.
  virtual void issued(base::ref<channel::channel> over, std::uint64_t id) = 0;
};

}  // namespace openxpc::connection
