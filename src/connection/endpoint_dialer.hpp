#pragma once

#include "connection/dialer.hpp"
#include "object/endpoint.hpp"

namespace openxpc::connection {

/// The way to whoever listens behind an endpoint.
class endpoint_dialer final : public dialer {
 public:
  explicit endpoint_dialer(base::ref<object::endpoint> to) : to_(std::move(to)) {}
  error_ref look_up() override { return nullptr; }
  answer dial(base::instant since) override;

 private:
  base::ref<object::endpoint> to_;
};

}  // namespace openxpc::connection
