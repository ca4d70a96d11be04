#pragma once

#include "base/buffer.hpp"
#include "channel/outgoing.hpp"
#include "connection/failure.hpp"
#include "object/codec.hpp"

#include <span>
#include <vector>

namespace openxpc::connection {

/// The descriptors of an encoded message, kept open for as long as something refers to them.
/// Nothing for most messages.
class attached {
 public:
  /// For one send().
  void lend(channel::outgoing& to) const {
    if (kept_) to.attachments = kept_->numbers;
    to.attachments_kept_by = kept_;
  }

 private:
  friend error_ref encode(const object::dictionary& message, base::buffer& out, attached& with);
  struct kept final : base::counted {
    object::attachments files;
    std::vector<int> numbers;
  };
  base::ref<kept> kept_;
};

/// Encodes as channels carry it. Null, or invalid_argument that names what cannot be sent and where
/// it stands.
error_ref encode(const object::dictionary& message, base::buffer& out, attached& with);

/// An encoded message where it stands: in the message itself, or in a buffer that may be moved
/// away.
struct encoded_message {
  base::bytes body;
  base::buffer* movable = nullptr;
  attached with;
};

/// Most messages are sent as they were filled, and need no copy.
/// @param scratch  emptied first; for those that have to be written value by value
error_ref encode(const object::dictionary& message, base::buffer& scratch, encoded_message& out);

/// One buffer a thread: a frame that leaves at once leaves from here, so that sending allocates
/// nothing.
base::buffer& scratch_of_thread() noexcept;

/// For one send(). What is large and has to wait is moved, not copied.
void lend(const encoded_message& message, channel::outgoing& to);

}  // namespace openxpc::connection
