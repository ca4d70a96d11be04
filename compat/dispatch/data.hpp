#pragma once

#include <memory>
#include <vector>

#include "dispatch/queue.hpp"

namespace openxpc::dispatch {

/// Immutable bytes: a list of pieces of shared buffers.
class data final : public object {
 public:
  static constexpr kind is = kind::data;
  /// Bytes and what happens to them in the end.
  struct buffer {
    const std::byte* bytes = nullptr;
    std::size_t size = 0;
    held<queue> where;
    void* context = nullptr;
    dispatch_function_t destructor = nullptr;
    buffer() = default;
    buffer(const buffer&) = delete;
    buffer& operator=(const buffer&) = delete;
    ~buffer();
  };
  struct piece {
    std::shared_ptr<const buffer> from;
    std::size_t offset, size;
    const std::byte* bytes() const noexcept { return from->bytes + offset; }
  };

  explicit data(std::vector<piece> pieces, bool counts = true);
  std::size_t size() const noexcept { return size_; }
  const std::vector<piece>& pieces() const noexcept { return pieces_; }
  /// A part in one or more pieces; within the size.
  std::vector<piece> part(std::size_t offset, std::size_t length) const;

 private:
  const std::vector<piece> pieces_;
  std::size_t size_ = 0;
};

data& empty_data() noexcept;

}  // namespace openxpc::dispatch
