#pragma once

#include <poll.h>

#include <cerrno>

namespace openxpc::base {

/// What of `events` (as for poll()) there is right now; of a hang-up or an error the kernel tells
/// unasked. A signal that is on its way does not change the answer: poll() would say EINTR even
/// when it need not wait.
inline short poll_now(int borrowed_fd, short events) noexcept {
  pollfd look{borrowed_fd, events, 0};
  int found = 0;
  do {
    found = ::poll(&look, 1, 0);
  } while (found < 0 && errno == EINTR);
  return found > 0 ? look.revents : short{0};
}

/// Whether the process behind a pidfd has ended.
inline bool has_ended(int borrowed_pidfd) noexcept { return poll_now(borrowed_pidfd, POLLIN) != 0; }

}  // namespace openxpc::base
