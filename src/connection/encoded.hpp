#pragma once

#include "base/buffer.hpp"
#include "connection/failure.hpp"
#include "object/codec.hpp"

#include <span>
#include <vector>

namespace openxpc::connection {

/// The descriptors of an encoded message, kept open for as long as something refers to them.
/// Nothing for most messages.
class attached {
 public:
  std::span<const int> borrowed_fds() const noexcept {
    return kept_ ? std::span<const int>(kept_->numbers) : std::span<const int>();
  }
  base::ref<base::counted> keeper() const noexcept { return kept_; }

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

}  // namespace openxpc::connection
