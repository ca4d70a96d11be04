#include "base/fd.hpp"
#include "base/same_errno.hpp"

#include <asio/error_code.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>

#include "dispatch/manager.hpp"
#include "dispatch/source.hpp"

// Read and write sources wait for an epoll set of their own that has the program's descriptor in
// it, process sources for a pidfd. The engine makes what it waits for non-blocking, which it would
// do to the program's open file too, and takes a number only once, while a program may watch a
// descriptor for both directions. While the process has no descriptor left for it the watch tries
// again, ever so often.

namespace openxpc::dispatch {
namespace {

using asio::posix::descriptor_base;

constexpr std::chrono::milliseconds until_next_try{100};

/// True when the same call may work later.
bool may_work_later(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

class descriptor_watch final : public watch, public std::enable_shared_from_this<descriptor_watch> {
 public:
  /// @param events of epoll, for a descriptor; 0 for a process
  descriptor_watch(source& to, std::uint32_t events)
      : to_(&to), events_(events), descriptor_(manager::get().context()) {}

  void start() override {
    if (!to_) return;
    if (always_ready_) return report();
    if (!descriptor_.is_open() && !open()) return;
    descriptor_.async_wait(descriptor_base::wait_read,
                           [self = shared_from_this()](const asio::error_code& error) {
                             if (error || !self->to_) return;
                             // An event may be older than the handler that saw to it.
                             if (self->events_ != 0 && !self->is_ready()) return self->start();
                             self->report();
                           });
  }
  void again() override {
    if (events_ != 0) start();
  }
  void stop() {
    to_ = nullptr;
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  /// False when there is nothing to wait for, now or for ever.
  bool open() {
    base::fd own = events_ != 0 ? open_set() : open_process();
    asio::error_code refused;
    if (own) {
      descriptor_.assign(own.get(), refused);
      if (!refused) {
        (void)own.release();
        return true;
      }
    }
    const int error = own ? refused.value() : errno;
    if (may_work_later(error)) {
      manager::get().after(until_next_try, [self = shared_from_this()] { self->start(); });
    } else if (events_ == 0 && error == ESRCH) {
      to_->merge(DISPATCH_PROC_EXIT);  // gone already
    } else if (events_ != 0 && error == EPERM) {
      // Regular files cannot be waited for: they are always ready.
      always_ready_ = true;
      report();
    }
    return false;
  }
  // Without one errno says why.
  base::fd open_process() const {
    return base::fd(
        static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(to_->handle()), 0)));
  }
  base::fd open_set() const {
    base::fd set(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = events_;
    if (set &&
        ::epoll_ctl(set.get(), EPOLL_CTL_ADD, static_cast<int>(to_->handle()), &wanted) < 0) {
      const base::same_errno kept;
      set.reset();
    }
    return set;
  }
  bool is_ready() {
    epoll_event found{};
    return ::epoll_wait(descriptor_.native_handle(), &found, 1, 0) > 0;
  }
  void report() {
    if (events_ == 0) return to_->merge(DISPATCH_PROC_EXIT);
    int bytes = 0;
    if (events_ == EPOLLIN) ::ioctl(static_cast<int>(to_->handle()), FIONREAD, &bytes);
    // A listening socket or the end of the stream is an event too.
    to_->merge(static_cast<uintptr_t>(std::max(bytes, 1)));
  }

  source* to_;
  const std::uint32_t events_;
  bool always_ready_ = false;
  asio::posix::stream_descriptor descriptor_;
};

/// The watch as the source owns it: waits under way keep the other one.
class owned_watch final : public watch {
 public:
  explicit owned_watch(std::shared_ptr<descriptor_watch> w) : inner_(std::move(w)) {}
  ~owned_watch() override { inner_->stop(); }
  void start() override { inner_->start(); }
  void again() override { inner_->again(); }

 private:
  std::shared_ptr<descriptor_watch> inner_;
};

}  // namespace

std::unique_ptr<watch> make_descriptor_watch(source& with) {
  const bool reads = with.type() == DISPATCH_SOURCE_TYPE_READ;
  return std::make_unique<owned_watch>(
      std::make_shared<descriptor_watch>(with, reads ? EPOLLIN : EPOLLOUT));
}

std::unique_ptr<watch> make_process_watch(source& with) {
  return std::make_unique<owned_watch>(std::make_shared<descriptor_watch>(with, 0));
}

}  // namespace openxpc::dispatch
