#pragma once

#include "channel/transport.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace openxpc::channel {

/// What a bad day does to a wire. Numbers count packets; 0: never. Deterministic, so that a failure
/// can be repeated.
struct chaos {
  unsigned full_every = 0;   ///< every n-th attempt to send finds the wire full
  unsigned later_every = 0;  ///< every n-th attempt to send finds no memory (as ETOOMANYREFS does)
  unsigned nothing_every = 0;    ///< every n-th attempt to receive finds nothing yet
  unsigned cut_after = 0;        ///< the wire is cut after so many packets were sent
  unsigned corrupt_at = 0;       ///< one bit of this packet is turned
  std::size_t corrupt_byte = 0;  ///< which byte of it (modulo its size)
};

/// A transport that misbehaves on purpose around another one. For tests.
class chaos_transport final : public transport {
 public:
  chaos_transport(std::unique_ptr<transport> inner, chaos how) noexcept
      : inner_(std::move(inner)), how_(how) {}

  int borrowed_fd() const noexcept override { return inner_->borrowed_fd(); }
  std::uint32_t events(bool to_receive, bool to_send) const noexcept override {
    return inner_->events(to_receive, to_send);
  }
  std::size_t packet_most_bytes() const noexcept override { return inner_->packet_most_bytes(); }
  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool with_credentials) noexcept override;
  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override;
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

 private:
  static bool due(unsigned every, unsigned count) noexcept {
    return every != 0 && count % every == 0;
  }

  std::unique_ptr<transport> inner_;
  const chaos how_;
  unsigned attempts_ = 0, sent_ = 0, receives_ = 0;
};

}  // namespace openxpc::channel
