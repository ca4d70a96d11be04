#pragma once

#include "base/function.hpp"
#include "job/object.hpp"

#include <cstddef>
#include <utility>

namespace openxpc::supervise {

/// The way to a job's process over its service link. Empty: there is none.
class job_link {
 public:
  job_link() = default;
  job_link(std::nullptr_t) {}
  explicit job_link(base::function<bool(xpc_object_t message)> send) : send_(std::move(send)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(send_); }
  /// False when the link is gone.
  bool send(xpc_object_t message) const { return send_ && send_(message); }
  /// A request without arguments.
  bool operator()(const char* op) const {
    object_ref message = new_dictionary();
    set(message.get(), "op", op);
    return send(message.get());
  }

 private:
  base::function<bool(xpc_object_t message)> send_;
};

}  // namespace openxpc::supervise
