#pragma once

#include "base/bytes.hpp"
#include "object/object.hpp"
#include "object/source.hpp"

namespace openxpc::object {

/// Bytes. Immutable once finished. They stand behind the object, in a received message, or belong
/// to somebody else who is told when they are no longer needed.
class data final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_DATA;

  /// A copy; null when there is no memory for it.
  static ref<data> copy_of(base::bytes content) noexcept;
  /// Bytes of someone else; `release(context)` is called once, when the last reader is gone.
  /// `release` may be null.
  static ref<data> borrow(base::bytes content, void* context, void (*release)(void*));
  /// Room to be filled through fill() and ended by finish(); null when there is no memory for it.
  static ref<data> blank(std::size_t capacity) noexcept;
  static ref<data> from(const ref<source>& message, wire::value encoded);

  base::bytes bytes() const noexcept { return {at_, size_}; }
  /// Null unless made by blank() and not yet finished.
  std::byte* fill() noexcept { return filling_ ? const_cast<std::byte*>(at_) : nullptr; }
  /// False, nothing done, when it is not being filled or `size` is beyond its capacity.
  bool finish(std::size_t size) noexcept;
  void describe(describer& out) const override;

 private:
  data(const std::byte* at, std::size_t size) noexcept : object(its_kind), at_(at), size_(size) {}
  void destroy() noexcept override;

  bool filling_ = false;
  std::size_t block_bytes_ = 0;  ///< of memory that base::take_block() gave
  const std::byte* at_;
  std::size_t size_;
  void (*release_)(void*) = nullptr;
  void* context_ = nullptr;
};

}  // namespace openxpc::object
