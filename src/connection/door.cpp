#include "connection/door.hpp"

#include "channel/socket/socket_transport.hpp"
#include "connection/handle.hpp"
#include "connection/listener.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

// Accepting takes a few clients at a time and arms again, so that a flood of them does not starve
// the connections of the same loop. The service manager shares the socket and may have cleared
// O_NONBLOCK, so readiness is asked for each time.
namespace openxpc::connection {
namespace {

constexpr int clients_at_once = 16;
constexpr auto pause_without_descriptors = std::chrono::milliseconds(20);

}  // namespace

door::door(base::ref<listener> of, base::fd listening)
    : of_(std::move(of)),
      socket_(std::move(listening)),
      admission_(admission_of(socket_.get())),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
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
  for (int count = 0; count < clients_at_once; ++count)
    if (!accept_one()) break;
  std::lock_guard lock(mutex_);
  if (of_ && !later_) watch_.arm(EPOLLIN);
}

bool door::accept_one() {
  base::ref<listener> of;
  base::fd client;
  {
    std::lock_guard lock(mutex_);
    if (!of_) return false;
    client.reset(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      if (errno == EMFILE || errno == ENFILE) return turn_one_away();
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
