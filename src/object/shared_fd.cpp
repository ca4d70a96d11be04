#include "object/shared_fd.hpp"

#include "object/describe.hpp"
#include "object/shared_memory.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <utility>

namespace openxpc::object {
namespace {

std::atomic<shared_fd::closer> closer_of_received = nullptr;

/// Of those that get here only files, devices and lingering sockets can. Told without a word to a
/// file system, which may be what hangs.
bool may_hang_at_closing(int borrowed_fd) noexcept {
  if ((::fcntl(borrowed_fd, F_GETFL) & O_PATH) != 0) return false;
  if (::fcntl(borrowed_fd, F_GET_SEALS) >= 0) return false;  // memory
  struct statx status{};
  if (::statx(borrowed_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0)
    return true;
  switch (status.stx_mode & S_IFMT) {
    case S_IFIFO:
    case 0:  // the kernel's own: eventfd, timerfd, pidfd and their like
      return false;
    case S_IFSOCK: {
      linger how{};
      socklen_t size = sizeof how;
      return ::getsockopt(borrowed_fd, SOL_SOCKET, SO_LINGER, &how, &size) != 0 || how.l_onoff != 0;
    }
    default:
      return true;
  }
}

}  // namespace

ref<shared_fd> shared_fd::received(base::fd&& owned) {
  auto made = base::make_ref<shared_fd>(std::move(owned));
  made->received_ = true;
  return made;
}

void shared_fd::close_received(closer how) noexcept { closer_of_received = how; }

shared_fd::~shared_fd() {
  if (!received_ || !fd_) return;
  const closer how = closer_of_received;
  if (how != nullptr && may_hang_at_closing(fd_.get())) how(std::move(fd_));
}

void descriptor::describe(describer& out) const {
  if (what() == OPENXPC_TYPE_SHMEM)
    out.shared_memory(bytes_, borrowed_fd());
  else
    out.file(borrowed_fd());
}

void descriptor::destroy() noexcept {
  const bool memory = what() == OPENXPC_TYPE_SHMEM;
  delete this;
  if (memory) forget_unmapped_regions();
}

}  // namespace openxpc::object
