#pragma once

#include "base/fd.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace openxpc::channel {

/// Which side of the connection we are: the accepting side says hello first.
enum class side : std::uint8_t { accepting, connecting };

/// One entry of the hello's list. Types from 0x8000 on must be understood by the receiver, or it
/// refuses.
struct hello_option {
  std::uint16_t type = 0;
  std::string value;
};
namespace option {
inline constexpr std::uint16_t service_name = 1;
inline constexpr std::uint16_t generation = 2;
/// Inode of the time namespace, u64. Added by the channel itself.
inline constexpr std::uint16_t time_namespace = 3;
inline constexpr std::uint16_t interface = 4;
inline constexpr std::uint16_t instance = 5;
inline constexpr std::uint16_t introduced_by = 6;
}  // namespace option

/// Every limit of a channel: its default, and the attack it stops.
struct settings {
  /// Largest message we accept (told to the peer): 1 GiB announced, threat T42.
  std::uint64_t message_bytes = std::uint64_t{128} << 20;
  /// What the peer may send ahead of our handlers (told): floods, T48.
  std::uint64_t credit_bytes = std::uint64_t{1} << 20;
  /// Requests and subscriptions of the peer that wait for our answer (told): T42, T47.
  std::uint32_t unanswered_count = 1024;
  /// Longest packet we take (told).
  std::uint32_t packet_bytes = 212960;
  /// Descriptors in one message (told), as many as a packet takes, so that it does not matter how
  /// large the message is: T45.
  std::uint32_t attachments = 253;
  /// What may wait in our own outbox (not told); the message being sent does not count: T48.
  std::uint64_t unsent_bytes = std::uint64_t{64} << 20;
  /// Accepting side: how long the peer may take for its hello, from accept: half-open connections,
  /// T49.
  std::chrono::nanoseconds hello_within = std::chrono::seconds(10);
  /// Answers beyond unsent_bytes, or the last of a planned stop, and no packet taken for this long:
  /// the peer is cut off, T48.
  std::chrono::nanoseconds not_taken_after = std::chrono::seconds(10);
  /// Ask the kernel for a pidfd of the peer (costs one descriptor).
  bool want_pidfd = false;
  /// What our hello says beside the numbers.
  std::vector<hello_option> options;
};

/// Who and what is at the other end, once both hellos were exchanged.
struct peer_info {
  /// From SO_PEERCRED at the accepting side, from the SCM_CREDENTIALS of its hello at the
  /// connecting side.
  std::int32_t pid = 0;
  std::uint32_t uid = 0, gid = 0;
  /// Empty when not asked for, not available, or the process is gone.
  base::fd pidfd;
  std::uint16_t version = 0;
  std::uint64_t features = 0;
  std::uint64_t message_bytes = 0, credit_bytes = 0;
  std::uint32_t unanswered_count = 0, packet_bytes = 0, attachments = 0;
  /// Both in one time namespace: deadlines mean something. Without it they are taken off what
  /// arrives.
  bool same_clock = false;
  std::vector<hello_option> options;

  /// The value of the first option of that type, or null.
  const std::string* find(std::uint16_t type) const noexcept {
    for (const hello_option& each : options)
      if (each.type == type) return &each.value;
    return nullptr;
  }
};

}  // namespace openxpc::channel
