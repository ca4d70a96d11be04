#include "control/shares.hpp"

#include <algorithm>

namespace openxpc::control {

std::size_t shares::most_of(const client& who, std::size_t descriptors) const {
  const std::size_t most = std::min(how_.each, descriptors / 8);
  const std::size_t users = users_.size() + (users_.count(who.user) == 0 ? 1 : 0);
  return std::max(how_.always, who.privileged ? most : std::min(most, how_.others / users));
}

std::unique_ptr<shares::place> shares::admit(const std::shared_ptr<shares>& of, const client& who,
                                             std::size_t descriptors, std::string* why) {
  const std::lock_guard lock(of->mutex_);
  const bool by_process = who.process_of_job != 0;
  const auto at = of->users_.find(who.user);
  const auto same = of->processes_.find(who.process_of_job);
  const std::size_t most = by_process ? of->how_.of_a_process : of->most_of(who, descriptors);
  const std::size_t has = by_process ? (same == of->processes_.end() ? 0 : same->second)
                                     : (at == of->users_.end() ? 0 : at->second);
  if (has >= most) {
    *why = (by_process ? "process " + std::to_string(who.process_of_job)
                       : "uid " + std::to_string(who.user)) +
           " has " + std::to_string(has) +
           " conversations with the service manager open, and may have no more; try again when "
           "some have ended";
    return nullptr;
  }
  auto made = std::make_unique<place>(of, who.user, who.process_of_job);
  if (by_process) {
    ++of->processes_[who.process_of_job];
  } else {
    ++of->users_[who.user];
  }
  return made;
}

void shares::leave(uid_t user, pid_t process) noexcept {
  const std::lock_guard lock(mutex_);
  if (process != 0) {
    const auto at = processes_.find(process);
    if (at != processes_.end() && --at->second == 0) processes_.erase(at);
  } else {
    const auto at = users_.find(user);
    if (at != users_.end() && --at->second == 0) users_.erase(at);
  }
}

}  // namespace openxpc::control
