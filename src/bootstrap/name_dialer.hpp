#pragma once

#include "bootstrap/domain.hpp"
#include "bootstrap/private_services.hpp"
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
  bool wait(base::function<void()> again) override {
    return beside_ && beside_->wait(std::move(again));
  }
  /// The instance of that number, 16 bytes, of a service beside this program that has one for each
  /// connection. Not beside another call.
  void of_instance(const unsigned char* uuid);
  /// From now on only in the domain of that user. Not beside another call.
  void only_of_user(std::uint32_t uid) { where_ = {domain_choice::kind::user, {}, uid}; }

  /// How long an owner that refuses connections (it restarts) is waited for.
  static constexpr auto patience = std::chrono::seconds(10);

 private:
  base::fd find(connection::error_ref& why) const;
  void look_beside();

  const std::string name_;
  domain_choice where_;
  std::string instance_;
  base::ref<private_way> beside_;  // null: no bundle beside this program can be it
};

}  // namespace openxpc::bootstrap
