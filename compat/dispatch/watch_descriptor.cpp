#include "base/fd.hpp"

#include <asio/error.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>

#include "dispatch/manager.hpp"
#include "dispatch/source.hpp"

// Read, write and process sources wait for a descriptor of their own, a copy of the program's or a
// pidfd: one epoll set takes the same number only once, and a program may watch a descriptor for
// both directions. While the process has no descriptor left for it the watch tries again, ever so
// often.

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
  descriptor_watch(source& to, descriptor_base::wait_type what, bool level)
      : to_(&to), what_(what), level_(level), descriptor_(manager::get().context()) {}

  void start() override {
    if (!to_) return;
    if (!descriptor_.is_open() && !open()) return;
    descriptor_.async_wait(what_, [self = shared_from_this()](const asio::error_code& error) {
      // Regular files cannot be waited for: they are always ready.
      bool ready = !error || error == asio::error::operation_not_supported;
      if (ready && self->to_) self->report();
    });
  }
  void again() override {
    if (level_) start();
  }
  void stop() {
    to_ = nullptr;
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  /// False when there is nothing to wait for, now or for ever.
  bool open() {
    const auto handle = to_->handle();
    base::fd own =
        level_
            ? base::fd::copy(static_cast<int>(handle))
            : base::fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(handle), 0)));
    asio::error_code refused;
    if (own) {
      descriptor_.assign(own.get(), refused);
      if (!refused) {
        (void)own.release();
        return true;
      }
    }
    const int error = own ? refused.value() : errno;
    if (may_work_later(error))
      manager::get().after(until_next_try, [self = shared_from_this()] { self->start(); });
    else if (!level_ && error == ESRCH)
      to_->merge(DISPATCH_PROC_EXIT);  // gone already
    return false;
  }
  void report() {
    if (!level_) return to_->merge(DISPATCH_PROC_EXIT);
    int bytes = 0;
    if (what_ == descriptor_base::wait_read) ::ioctl(descriptor_.native_handle(), FIONREAD, &bytes);
    // A listening socket or the end of the stream is an event too.
    to_->merge(static_cast<uintptr_t>(std::max(bytes, 1)));
  }

  source* to_;
  const descriptor_base::wait_type what_;
  const bool level_;
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
  bool reads = with.type() == DISPATCH_SOURCE_TYPE_READ;
  return std::make_unique<owned_watch>(std::make_shared<descriptor_watch>(
      with, reads ? descriptor_base::wait_read : descriptor_base::wait_write, true));
}

std::unique_ptr<watch> make_process_watch(source& with) {
  return std::make_unique<owned_watch>(
      std::make_shared<descriptor_watch>(with, descriptor_base::wait_read, false));
}

}  // namespace openxpc::dispatch
