#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"

#include <sys/types.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

// The wire under a channel: packets in, packets out, one descriptor that can be polled. It knows
// frames no more than the kernel does.
namespace openxpc::channel {

/// Who sent a packet, as the kernel says.
struct credentials {
  std::int32_t pid = 0;
  std::uint32_t uid = 0, gid = 0;
};

enum class send_result : std::uint8_t {
  taken,         ///< the whole packet
  full,          ///< nothing; try again when writable
  later,         ///< nothing; too many descriptors in flight, or no memory: try again by timer
  peer_stopped,  ///< nothing, and never again: the peer takes no more (EPIPE)
  failed,        ///< nothing; errno says why
};

struct received {
  enum class result : std::uint8_t {
    packet,   ///< `size` bytes
    nothing,  ///< nothing there now
    end,      ///< end of stream
    reset,    ///< the peer closed with unread data: read on, what it sent before is still there
    failed,   ///< errno says why
  };
  result what = result::nothing;
  std::size_t size = 0;
  bool truncated = false;         ///< longer than the buffer (MSG_TRUNC)
  bool attachments_lost = false;  ///< our descriptor table was full (MSG_CTRUNC)
  std::optional<credentials> sender;
  base::fd sender_pidfd;
};

/// Threads: send() by one thread at a time, receive() by one thread at a time, both together
/// allowed; the rest from any.
class transport {
 public:
  virtual ~transport() = default;
  /// What to poll; owned by the transport.
  virtual int borrowed_fd() const noexcept = 0;
  /// What to poll it for, in EPOLL... bits (the same numbers as poll's).
  virtual std::uint32_t events(bool to_receive, bool to_send) const noexcept = 0;
  /// The longest packet it can carry.
  virtual std::size_t packet_most_bytes() const noexcept = 0;
  /// One packet of these bytes with these descriptors. Never blocks.
  virtual send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                           bool with_credentials) noexcept = 0;
  /// One packet into the buffers, its descriptors appended to `attachments`. Never blocks. Null
  /// buffers of length 0 are not allowed.
  virtual received receive(std::span<const iovec> into,
                           std::vector<base::fd>& attachments) noexcept = 0;
  /// receive(), but waits for a packet for a moment (a few milliseconds) if there is none; what can
  /// be polled cheaper than received need not.
  virtual received receive_patiently(std::span<const iovec> into,
                                     std::vector<base::fd>& attachments) noexcept {
    return receive(into, attachments);
  }
  /// How long that may be; 0: it does not wait.
  virtual std::chrono::nanoseconds patience() const noexcept { return {}; }
  /// The peer as of accept or connect (SO_PEERCRED), its pidfd if wanted and there is one.
  virtual std::optional<credentials> peer(base::fd* pidfd) noexcept = 0;
  /// Whether received packets shall say who sent them (from the start they do), and with a pidfd.
  virtual void want_sender(bool credentials, bool pidfd) noexcept = 0;
  /// Takes nothing more from the peer; what it sent can still be received (planned stop).
  virtual void stop_receiving() noexcept = 0;
  /// Ends both directions, wakes everybody who polls. Any thread, more than once.
  virtual void hang_up() noexcept = 0;

  // For wires that can become cheaper on the way (ring/).
  /// Both sides know how.
  virtual void allow_shortcut() noexcept {}
  /// The wire is busy enough to be worth some memory. By the thread that receives, of the side that
  /// accepted.
  virtual void offer_shortcut() noexcept {}
  /// Whether receive() will find something, as far as that can be told without a system call.
  virtual bool more_at_hand() const noexcept { return false; }
  /// Before polling, by who receives: false when there is something that polling would not show.
  virtual bool before_polling() noexcept { return true; }
};

}  // namespace openxpc::channel
