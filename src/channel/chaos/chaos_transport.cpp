#include "channel/chaos/chaos_transport.hpp"

#include "base/buffer.hpp"

namespace openxpc::channel {

send_result chaos_transport::send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                                  bool with_credentials) noexcept {
  ++attempts_;
  if (due(how_.full_every, attempts_)) return send_result::full;
  if (due(how_.later_every, attempts_)) return send_result::later;
  if (how_.cut_after != 0 && sent_ >= how_.cut_after) {
    inner_->hang_up();
    return send_result::peer_stopped;
  }
  if (how_.corrupt_at == 0 || sent_ + 1 != how_.corrupt_at) {
    const send_result result = inner_->send(parts, borrowed_fds, with_credentials);
    if (result == send_result::taken) ++sent_;
    return result;
  }
  base::buffer turned;
  for (const iovec& each : parts)
    turned.append({static_cast<const std::byte*>(each.iov_base), each.iov_len});
  turned.data()[how_.corrupt_byte % turned.size()] ^= std::byte{1};
  const iovec whole{turned.data(), turned.size()};
  const send_result result = inner_->send({&whole, 1}, borrowed_fds, with_credentials);
  if (result == send_result::taken) ++sent_;
  return result;
}

received chaos_transport::receive(std::span<const iovec> into,
                                  std::vector<base::fd>& attachments) noexcept {
  if (due(how_.nothing_every, ++receives_)) return {};
  return inner_->receive(into, attachments);
}

}  // namespace openxpc::channel
