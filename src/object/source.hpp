#pragma once

#include "base/block.hpp"
#include "base/fd.hpp"
#include "object/shared_fd.hpp"
#include "wire/cursor.hpp"
#include "wire/validate.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace openxpc::object {

/// A validated message: its bytes, and the descriptors that came with them. Views and the objects
/// made from them share it. Immutable, so any number of threads may read it.
class source {
 public:
  /// Copies the bytes first and validates the copy: one allocation.
  /// @param attachments  moved from; untouched on failure.
  /// @return null with `fault` set when the bytes are not a message.
  static ref<source> copy_of(base::bytes message, std::vector<base::fd>&& attachments,
                             wire::mode spoken, std::optional<wire::malformed>& fault,
                             const wire::limits& max);
  /// Keeps the block.
  static ref<source> over(ref<base::block> message, std::vector<base::fd>&& attachments,
                          wire::mode spoken, std::optional<wire::malformed>& fault,
                          const wire::limits& max);

  /// An empty dictionary with room for `room` bytes behind it, to be filled by its only owner
  /// (growing.cpp). Immutable like any other once it is shared.
  static ref<source> growing(std::size_t room);
  /// Whether the caller holds the only reference.
  bool unique() const noexcept { return count_.load(std::memory_order_acquire) == 1; }
  /// `more` bytes behind the last, uninitialised; null when there is no room. Precondition: made by
  /// growing(), unique.
  std::byte* extend(std::size_t more) noexcept;

  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  /// Nobody can take a reference from the only one who has one: then there is nothing to count.
  void release() const noexcept {
    if (unique() || count_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  base::bytes bytes() const noexcept { return bytes_; }
  wire::mode spoken() const noexcept { return spoken_; }
  wire::value root() const noexcept { return wire::root(bytes_); }
  wire::value at(std::uint32_t offset) const noexcept { return {bytes_.data(), offset}; }

  /// The descriptor of an out-of-line value of this message.
  const ref<shared_fd>& attachment(wire::value of) const noexcept {
    return attachments_[where_.before(of.offset())];
  }
  /// Those that the value and everything inside it take, in order.
  std::span<const ref<shared_fd>> attachments_in(wire::value whole) const noexcept {
    if (attachments_.empty()) return {};
    auto first = where_.before(whole.offset());
    return {attachments_.data() + first, where_.before(whole.end_offset()) - first};
  }

 private:
  source(wire::mode spoken, std::size_t block_bytes) noexcept
      : spoken_(spoken), block_bytes_(block_bytes) {}
  /// With room for `more` bytes behind it, at behind().
  static ref<source> with_room(wire::mode spoken, std::size_t more);
  std::byte* behind() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  ~source() = default;
  bool accept(std::vector<base::fd>&& attachments, std::optional<wire::malformed>& fault,
              const wire::limits& max);
  void destroy() const noexcept;

  mutable std::atomic<std::uint32_t> count_{1};
  wire::mode spoken_;
  std::size_t block_bytes_;  // of this object and what stands behind it
  base::bytes bytes_;        // behind this object, or in kept_
  std::size_t room_ = 0;
  ref<base::block> kept_;
  wire::tag_offsets where_;
  std::vector<ref<shared_fd>> attachments_;
};

}  // namespace openxpc::object
