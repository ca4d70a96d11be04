#include "connection/door.hpp"

#include "base/poll_now.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/handle.hpp"
#include "connection/listener.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

// Accepting takes a few clients at a time and arms again, so that a flood of them does not starve
// the connections of the same loop. The service manager shares the socket and may have cleared
// O_NONBLOCK, so readiness is asked for each time.
namespace openxpc::connection {
namespace {

constexpr int clients_at_once = 16;
constexpr auto pause_without_descriptors = std::chrono::milliseconds(20);

/// Whether accept4() will never work again, however long one waits.
bool is_final(int error) {
  return error == EINVAL || error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP;
}

/// Such a socket is ready for ever, and has nobody to accept.
bool is_shut_down(const base::fd& socket) {
  return (base::poll_now(socket.get(), POLLRDHUP) & (POLLRDHUP | POLLHUP)) != 0;
}

}  // namespace

door::door(base::ref<listener> of, base::fd listening, held_by whom)
    : of_(std::move(of)),
      socket_(std::move(listening)),
      admission_(admission_of(socket_.get())),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      whom_(whom) {
  int flags = ::fcntl(socket_.get(), F_GETFL);
  ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
}

door::~door() = default;

void door::open() {
  std::lock_guard lock(mutex_);
  if (!socket_) return;
  watch_ = engine::registration(socket_.get(), base::ref<engine::source>::share(this));
  watch_.arm(EPOLLIN);
}

void door::close() {
  base::ref<listener> of;
  engine::timer later;
  std::lock_guard lock(mutex_);
  of = std::move(of_);
  later = std::move(later_);
  watch_.remove();
  socket_.reset();
  reserve_.reset();
}

void door::ready(std::uint32_t) {
  int count = 0;
  while (count < clients_at_once && accept_one()) ++count;
  base::ref<listener> of;
  int lost;
  {
    std::lock_guard lock(mutex_);
    if (count == 0 && of_ && lost_ == 0 && is_shut_down(socket_)) lost_ = ESHUTDOWN;
    lost = lost_;
    if (lost == 0 && of_ && !later_) watch_.arm(EPOLLIN);
    if (lost != 0 && whom_ == held_by::program) of = of_;
  }
  if (!of) return;
  of->cancel(make_error(OPENXPC_ERROR_CANCELED,
                        std::string("the listening socket takes no connection any more: ") +
                            (lost == ESHUTDOWN ? "somebody shut it down" : std::strerror(lost))));
}

bool door::accept_one() {
  base::ref<listener> of;
  base::fd client;
  {
    std::lock_guard lock(mutex_);
    if (!of_) return false;
    client.reset(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return turn_one_away();
      }
      if (is_final(errno)) lost_ = errno;
      return errno == ECONNABORTED || errno == EINTR;
    }
    of = of_;
  }
  if (error_ref why = admission_ ? admission_->judge(client.get()) : nullptr) {
    of->refuse(std::move(client), why->code(), why->message().c_str());
  } else {
    of->accepted(std::move(client));
  }
  return true;
}

// The descriptor kept in reserve lets a client in, only to tell it why it cannot stay. Without it
// there is a pause: those that wait would make the socket ready for ever.
bool door::turn_one_away() {
  if (reserve_) {
    std::lock_guard hold(channel::reserve_in_use());
    reserve_.reset();
    base::fd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    const bool came = static_cast<bool>(client);
    if (client)
      of_->refuse(std::move(client), OPENXPC_ERROR_NO_RESOURCES,
                  "the service has no descriptor left for another client; try again later, or "
                  "raise its limit (ulimit -n)");
    reserve_ = base::fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (came && reserve_) return true;
  }
  later_ = engine::timer(watch_.where(), [self = base::ref<door>::share(this)] {
    engine::timer spent;
    std::lock_guard lock(self->mutex_);
    spent = std::move(self->later_);
    if (!self->reserve_) self->reserve_ = base::fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (self->of_) self->watch_.arm(EPOLLIN);
  });
  later_.schedule(base::from_now(pause_without_descriptors));
  return false;
}

}  // namespace openxpc::connection
