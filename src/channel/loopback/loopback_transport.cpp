#include "channel/loopback/loopback_transport.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>

// Two queues of packets under one lock. Each end has an eventfd that is readable while there is
// something to do for its owner: a packet, the end of the stream, or room after the queue was full.
// It is never polled for writing, so events() asks for reading only, and whoever is woken tries
// both.

namespace openxpc::channel {
namespace {

struct packet_in_flight {
  std::vector<std::byte> bytes;
  std::vector<base::fd> attachments;
};

struct end_state {
  std::deque<packet_in_flight> inbound;
  std::size_t inbound_bytes = 0;
  base::fd bell;
  bool rung = false;
  bool closed = false;      // hung up or destroyed
  bool stopped = false;     // takes nothing more
  bool wants_room = false;  // was told "full"
  bool room = false;        // and now there is some
};

struct shared_state {
  std::mutex lock;
  end_state ends[2];
  std::size_t capacity = 0;

  void update(end_state& of) {
    const end_state& other = &of == &ends[0] ? ends[1] : ends[0];
    const bool busy = !of.inbound.empty() || of.room || other.closed || of.closed || of.stopped;
    if (busy == of.rung) return;
    std::uint64_t number = 1;
    if (busy)
      (void)!::write(of.bell.get(), &number, sizeof number);
    else
      (void)!::read(of.bell.get(), &number, sizeof number);
    of.rung = busy;
  }
};

class loopback_wire final : public transport {
 public:
  loopback_wire(std::shared_ptr<shared_state> state, int which) noexcept
      : state_(std::move(state)), own_(state_->ends[which]), other_(state_->ends[1 - which]) {}
  ~loopback_wire() override { hang_up(); }

  int borrowed_fd() const noexcept override { return own_.bell.get(); }
  std::uint32_t events(bool, bool) const noexcept override { return EPOLLIN; }
  std::size_t packet_most_bytes() const noexcept override { return state_->capacity; }

  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool) noexcept override {
    packet_in_flight made;
    for (const iovec& each : parts) {
      const auto* from = static_cast<const std::byte*>(each.iov_base);
      made.bytes.insert(made.bytes.end(), from, from + each.iov_len);
    }
    for (int each : borrowed_fds) {
      made.attachments.push_back(base::fd::copy(each));
      if (!made.attachments.back()) return send_result::later;
    }
    std::lock_guard hold(state_->lock);
    if (own_.closed || other_.closed || other_.stopped) return send_result::peer_stopped;
    own_.room = false;
    // As a socket does: what finds the queue below its limit goes in.
    if (other_.inbound_bytes >= state_->capacity) {
      own_.wants_room = true;
      state_->update(own_);
      return send_result::full;
    }
    other_.inbound_bytes += made.bytes.size();
    other_.inbound.push_back(std::move(made));
    state_->update(own_);
    state_->update(other_);
    return send_result::taken;
  }

  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override {
    received out;
    std::lock_guard hold(state_->lock);
    if (own_.inbound.empty()) {
      const bool over = own_.closed || other_.closed || own_.stopped;
      out.what = over ? received::result::end : received::result::nothing;
      return out;
    }
    packet_in_flight taken = std::move(own_.inbound.front());
    own_.inbound.pop_front();
    own_.inbound_bytes -= taken.bytes.size();
    out.what = received::result::packet;
    for (const iovec& each : into) {
      const std::size_t count = std::min(each.iov_len, taken.bytes.size() - out.size);
      std::memcpy(each.iov_base, taken.bytes.data() + out.size, count);
      out.size += count;
    }
    out.truncated = out.size < taken.bytes.size();
    for (base::fd& each : taken.attachments) attachments.push_back(std::move(each));
    out.sender = credentials{::getpid(), ::geteuid(), ::getegid()};
    if (other_.wants_room && own_.inbound_bytes < state_->capacity / 2) {
      other_.wants_room = false;
      other_.room = true;
      state_->update(other_);
    }
    state_->update(own_);
    return out;
  }

  std::optional<credentials> peer(base::fd*) noexcept override {
    return credentials{::getpid(), ::geteuid(), ::getegid()};
  }
  void want_sender(bool, bool) noexcept override {}
  void stop_receiving() noexcept override { end(own_.stopped); }
  void hang_up() noexcept override { end(own_.closed); }

 private:
  void end(bool& how) noexcept {
    std::lock_guard hold(state_->lock);
    how = true;
    if (other_.wants_room) other_.room = true;  // so that it finds out
    state_->update(own_);
    state_->update(other_);
  }

  std::shared_ptr<shared_state> state_;
  end_state& own_;
  end_state& other_;
};

}  // namespace

std::pair<std::unique_ptr<transport>, std::unique_ptr<transport>> loopback_pair(
    std::size_t capacity_bytes) {
  auto state = std::make_shared<shared_state>();
  state->capacity = capacity_bytes;
  for (end_state& each : state->ends) {
    each.bell.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!each.bell) return {};
  }
  auto one = std::make_unique<loopback_wire>(state, 0);
  return {std::move(one), std::make_unique<loopback_wire>(state, 1)};
}

}  // namespace openxpc::channel
