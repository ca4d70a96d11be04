#include "supervise/mount_watcher.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace openxpc::supervise {

namespace {

/// Its number, its parent's, the device, the root, the place: what follows a remount can change.
constexpr int lasting_fields = 5;

}  // namespace

std::set<std::string> mounts_in(std::string_view mountinfo) {
  std::set<std::string> result;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    std::size_t end = 0;
    for (int field = 0; field < lasting_fields && end != std::string_view::npos; ++field) {
      end = line.find(' ', field == 0 ? 0 : end + 1);
    }
    if (end != std::string_view::npos) result.emplace(line.substr(0, end));
  }
  return result;
}

bool mount_watcher::start() {
  if (list_) return true;
  list_.reset(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!list_) return false;
  asio::error_code refused;
  watch_.assign(list_.get(), refused);
  if (refused) {
    list_.reset();
    errno = refused.value();
    return false;
  }
  wait();
  known_ = mounts_in(read());
  return true;
}

void mount_watcher::stop() noexcept {
  if (watch_.is_open()) (void)watch_.release();
  list_.reset();
}

void mount_watcher::wait() {
  // The kernel tells of a change once, as a condition of urgency.
  watch_.async_wait(asio::posix::descriptor_base::wait_error,
                    [this](const asio::error_code& error) {
                      if (error) return;
                      // Before the list is read: a change after that is told again.
                      wait();
                      const std::set<std::string> before = std::exchange(known_, mounts_in(read()));
                      if (known_ != before) changed_(is_more_than(before));
                    });
}

bool mount_watcher::is_more_than(const std::set<std::string>& known_before) const {
  return !std::includes(known_before.begin(), known_before.end(), known_.begin(), known_.end());
}

std::string mount_watcher::read() const {
  std::string all;
  char buffer[16384];
  off_t at = 0;
  for (;;) {
    const ssize_t got = ::pread(list_.get(), buffer, sizeof buffer, at);
    if (got <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(got));
    at += got;
  }
}

}  // namespace openxpc::supervise
