#pragma once

#include "channel/transport.hpp"

#include <utility>

namespace openxpc::channel {

/// What stands around another transport and passes on what it has no opinion on. Sending and
/// receiving is its own business, and so is patience: it has none unless it says so.
class transport_around : public transport {
 public:
  int borrowed_fd() const noexcept override { return inner_->borrowed_fd(); }
  std::uint32_t events(bool to_receive, bool to_send) const noexcept override {
    return inner_->events(to_receive, to_send);
  }
  std::size_t packet_most_bytes() const noexcept override { return inner_->packet_most_bytes(); }
  std::optional<credentials> peer(base::fd* pidfd) noexcept override { return inner_->peer(pidfd); }
  void want_sender(bool with_credentials, bool pidfd) noexcept override {
    inner_->want_sender(with_credentials, pidfd);
  }
  void stop_receiving() noexcept override { inner_->stop_receiving(); }
  void hang_up() noexcept override { inner_->hang_up(); }
  void allow_shortcut() noexcept override { inner_->allow_shortcut(); }
  void offer_shortcut() noexcept override { inner_->offer_shortcut(); }
  bool more_at_hand() const noexcept override { return inner_->more_at_hand(); }
  bool before_polling() noexcept override { return inner_->before_polling(); }

 protected:
  explicit transport_around(std::unique_ptr<transport> inner) noexcept : inner_(std::move(inner)) {}

  const std::unique_ptr<transport> inner_;
};

}  // namespace openxpc::channel
