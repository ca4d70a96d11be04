#pragma once

#include "bootstrap/domain.hpp"
#include "connection/dialer.hpp"

#include <chrono>
#include <string>

namespace openxpc::bootstrap {

/// The way to a service by its name.
class name_dialer final : public connection::dialer {
 public:
  name_dialer(std::string name, domain_choice where)
      : name_(std::move(name)), where_(std::move(where)) {}
  connection::error_ref look_up() override;
  answer dial(base::instant since) override;
  /// From now on only in the domain of that user. Not beside another call.
  void only_of_user(std::uint32_t uid) { where_ = {domain_choice::kind::user, {}, uid}; }

  /// How long an owner that refuses connections (it restarts) is waited for.
  static constexpr auto patience = std::chrono::seconds(10);

 private:
  base::fd find(connection::error_ref& why) const;

  const std::string name_;
  domain_choice where_;
};

}  // namespace openxpc::bootstrap
