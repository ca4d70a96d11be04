#pragma once

#include "object/object.hpp"

namespace openxpc::object {

/// The announcement of a file in a stream of its own: an id, and an object that describes it. In
/// files and on RemoteXPC only.
class file_transfer final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_FILE_TRANSFER;
  file_transfer(std::uint64_t id, ref<object> content) noexcept
      : object(its_kind), id_(id), content_(std::move(content)) {}

  std::uint64_t id() const noexcept { return id_; }
  object* content() const noexcept { return content_.get(); }
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override { delete this; }
  std::uint64_t id_;
  ref<object> content_;
};

}  // namespace openxpc::object
