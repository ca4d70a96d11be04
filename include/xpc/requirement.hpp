#pragma once

#include <xpc/object.hpp>
#include <xpc/openxpc/conversation.h>

/// Who is at the other end.
namespace xpc {

/// The kernel's word about the other side of a conversation. To print and to log: a pid names no
/// program, it is reused, and a process may change its program after it sent its messages. A value.
/// Threads: any.
class peer_identity {
 public:
  std::int32_t pid() const noexcept { return who_.pid; }
  std::uint32_t uid() const noexcept { return who_.euid; }
  std::uint32_t gid() const noexcept { return who_.egid; }
  /// A descriptor of that process. Errors: interrupted, another process is at the other end by now,
  /// or none; unsupported, on this kernel.
  result<xpc::fd> pidfd() const {
    xpc::fd made(peer_ ? openxpc_peer_dup_pidfd(peer_.get()) : -1);
    std::error_code why(errno, std::system_category());
    openxpc_identity_s now{};
    now.size = sizeof now;
    if (!peer_ || !openxpc_peer_get_identity(peer_.get(), &now) || now.instance != who_.instance)
      return failure(errc::interrupted,
                     "the process that this identity is of is no longer at the other end");
    if (made) return made;
    return failure(why == std::errc::not_supported ? errc::unsupported : errc::no_resources,
                   "no descriptor of process " + std::to_string(pid()) + ": " + why.message());
  }
  /// "pid 123, uid 1000, gid 1000"
  std::string describe() const {
    return "pid " + std::to_string(pid()) + ", uid " + std::to_string(uid()) + ", gid " +
           std::to_string(gid());
  }
  /// The same connection to the same process.
  friend bool operator==(const peer_identity& one, const peer_identity& other) noexcept {
    return one.who_.pid == other.who_.pid && one.who_.euid == other.who_.euid &&
           one.who_.egid == other.who_.egid && one.who_.instance == other.who_.instance &&
           one.peer_.get() == other.peer_.get();
  }

  /// For the parts of this library. @param peer of whom; none where there never was a conversation.
  peer_identity(const openxpc_identity_s& who, detail::handle peer) noexcept
      : who_(who), peer_(std::move(peer)) {}

 private:
  openxpc_identity_s who_;
  detail::handle peer_;
};

}  // namespace xpc
