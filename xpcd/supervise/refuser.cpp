#include "supervise/refuser.hpp"

#include <xpc/openxpc/service.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace openxpc::supervise {

struct refuser::shared {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<order> orders;
  bool stop = false;
  bool ended = false;
};

namespace {

constexpr std::chrono::seconds patience_at_the_end{2};

std::size_t accept_all(const refuser::order& what) {
  std::size_t told = 0;
  for (;;) {
    // Each time: whoever shares the socket may have cleared it again.
    ::fcntl(what.listener.get(), F_SETFL, O_NONBLOCK);
    base::fd client(::accept4(what.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return told;
    }
    ::openxpc_refuse(client.get(), what.code, what.flags, what.text.c_str());
    ++told;
  }
}

}  // namespace

std::size_t refuse_waiting(const refuser::order& what) {
  std::size_t told = accept_all(what);
  if (what.close_for_good) {
    // Who looked the old file up and connects only now gets ECONNREFUSED, and looks it up again.
    ::shutdown(what.listener.get(), SHUT_RDWR);
    told += accept_all(what);
  }
  return told;
}

refuser::refuser() : shared_(std::make_shared<shared>()) {
  std::thread([state = shared_] {
    std::unique_lock hold(state->lock);
    for (;;) {
      state->changed.wait(hold, [&] { return state->stop || !state->orders.empty(); });
      if (state->orders.empty()) break;
      order next = std::move(state->orders.front());
      state->orders.pop_front();
      hold.unlock();
      refuse_waiting(next);
      next.listener.reset();
      if (next.done) next.done();
      next = {};
      hold.lock();
    }
    state->ended = true;
    state->changed.notify_all();
  }).detach();
}

refuser::~refuser() {
  std::unique_lock hold(shared_->lock);
  shared_->stop = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(hold, patience_at_the_end, [&] { return shared_->ended; });
}

void refuser::take(order what) {
  std::lock_guard hold(shared_->lock);
  shared_->orders.push_back(std::move(what));
  shared_->changed.notify_all();
}

}  // namespace openxpc::supervise
