#pragma once

#include "object/shared_fd.hpp"

namespace openxpc::object {

/// A listener's socket file as an O_PATH descriptor: whoever holds it can connect, and nothing
/// else. Immutable. Two endpoints are equal when they name the same file (rule 309).
class endpoint final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_ENDPOINT;
  /// Looks at the file once. A descriptor that is no socket makes an endpoint that nobody can
  /// connect to.
  explicit endpoint(ref<shared_fd> file) noexcept;

  const ref<shared_fd>& file() const noexcept { return file_; }
  int borrowed_fd() const noexcept { return file_->get(); }
  std::uint64_t device() const noexcept { return device_; }
  std::uint64_t inode() const noexcept { return inode_; }
  bool names_same(const endpoint& other) const noexcept {
    return device_ == other.device_ && inode_ == other.inode_;
  }
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override { delete this; }
  ref<shared_fd> file_;
  std::uint64_t device_ = 0, inode_ = 0;
};

}  // namespace openxpc::object
