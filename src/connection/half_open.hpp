#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <unordered_map>

// Clients that have connected and not said hello yet, counted by user: one user's must not keep
// another's out (threat T49). Whoever has said hello counts no longer, so that a crowd of honest
// clients goes through however large it is. Pure arithmetic; whoever owns it holds a lock.
namespace openxpc::connection {

class half_open {
 public:
  struct limits {
    std::size_t each = 4096;  ///< of one user
    std::size_t all = 16384;  ///< of all users together, in equal shares
    std::size_t always = 8;   ///< what a user may have however many others there are
  };

  explicit half_open(limits how) noexcept : how_(how) {}

  /// One more of this user, if it may be. @param descriptor_limit  tells how many descriptors the
  /// process may have; asked only where it matters, since it asks the kernel.
  template <class F>
  [[nodiscard]] bool admit(uid_t user, F descriptor_limit) {
    auto at = of_.find(user);
    const std::size_t has = at == of_.end() ? 0 : at->second;
    const std::size_t users = of_.size() + (at == of_.end() ? 1 : 0);
    std::size_t most = std::min(how_.each, std::max(how_.all / users, how_.always));
    // A client takes its socket and a descriptor of its process: half of all at most.
    if (has >= how_.always && has < most)
      most =
          std::min<std::size_t>(most, std::max<std::size_t>(descriptor_limit() / 4, how_.always));
    if (has >= most) return false;
    if (at == of_.end())
      of_.emplace(user, 1);
    else
      ++at->second;
    ++total_;
    return true;
  }
  /// One of those that were admitted has said hello, or is gone.
  void leave(uid_t user) noexcept {
    auto at = of_.find(user);
    if (at == of_.end()) return;
    --total_;
    if (--at->second == 0) of_.erase(at);
  }
  std::size_t total() const noexcept { return total_; }

 private:
  limits how_;
  std::unordered_map<uid_t, std::size_t> of_;  // no user with none
  std::size_t total_ = 0;
};

}  // namespace openxpc::connection
