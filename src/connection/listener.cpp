#include "connection/listener.hpp"

#include "channel/greeting.hpp"
#include "channel/ring/ring_transport.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/door.hpp"
#include "connection/handle.hpp"
#include "connection/private_socket.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

namespace openxpc::connection {
namespace {

/// As the kernel took it down when the client connected; pid 0 where it does not say.
ucred credentials_of(const base::fd& client) {
  ucred who{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t size = sizeof who;
  if (::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) who.pid = 0;
  return who;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace

base::ref<listener> listener::make(options how) {
  return base::ref<listener>::adopt(new listener(std::move(how)));
}

listener::~listener() = default;

void listener::add_socket(base::fd listening, held_by whom) {
  auto added = base::make_ref<door>(base::ref<listener>::share(this), std::move(listening), whom);
  bool open;
  {
    std::lock_guard lock(mutex_);
    if (over_) return added->close();
    doors_.push_back(added);
    open = activated_;
  }
  if (open) added->open();
}

void listener::set_failure(error_ref why) {
  std::lock_guard lock(mutex_);
  failure_ = std::move(why);
}

bool listener::require(error_ref why) {
  std::lock_guard lock(mutex_);
  if (required_) return false;
  required_ = std::move(why);
  return true;
}

void listener::set_handlers(base::ref<handlers> told) {
  std::lock_guard lock(mutex_);
  std::swap(handlers_, told);
}

base::ref<listener::handlers> listener::current_handlers() const {
  std::lock_guard lock(mutex_);
  return handlers_;
}

void listener::activate() {
  std::vector<base::ref<door>> doors;
  error_ref failure;
  {
    std::lock_guard lock(mutex_);
    if (activated_) return;
    activated_ = true;
    doors = doors_;
    failure = failure_;
  }
  strand_.resume();
  if (failure) return cancel(std::move(failure));
  for (auto& each : doors) each->open();
}

bool listener::active() const {
  std::lock_guard lock(mutex_);
  return activated_;
}

bool listener::over() const {
  std::lock_guard lock(mutex_);
  return over_;
}

error_ref listener::required() const {
  std::lock_guard lock(mutex_);
  return required_;
}

error_ref listener::ending() const {
  std::lock_guard lock(mutex_);
  return ending_;
}

void listener::suspend() {
  {
    std::lock_guard lock(mutex_);
    ++suspends_;
  }
  strand_.suspend();
}

void listener::resume() {
  {
    std::lock_guard lock(mutex_);
    --suspends_;
  }
  strand_.resume();
}

unsigned listener::suspends() const {
  std::lock_guard lock(mutex_);
  return suspends_;
}

base::ref<object::endpoint> listener::make_endpoint() {
  private_socket made;
  {
    std::lock_guard lock(mutex_);
    if (endpoint_) return endpoint_;
    made = make_private_socket();
    if (!made.listening) return nullptr;
    endpoint_ =
        base::make_ref<object::endpoint>(base::make_ref<object::shared_fd>(std::move(made.path)));
  }
  add_socket(std::move(made.listening), held_by::program);
  return endpoint_;
}

// --- Clients -------------------------------------------------------------------------------------

void listener::accepted(base::fd client) {
  conversation::options how;
  how.limits = how_.limits;
  how.full = how_.full;
  how.announced_by = base::ref<announcer>::share(this);
  auto talk = conversation::make(std::move(how));
  const uid_t user = credentials_of(client).uid;
  {
    std::unique_lock lock(mutex_);
    if (over_ || stopping_)
      return;  // Closing the socket before a hello makes the client look the name up again.
    if (!half_open_.admit(user, descriptor_limit)) {
      lock.unlock();
      return refuse(
          std::move(client), OPENXPC_ERROR_TOO_MANY,
          "too many clients of this user have connected and not said hello yet; try again later");
    }
    known_peer& known = peers_[talk.get()];
    known.talk = talk;
    known.user = user;
  }
  talk->accept(channel::ring_transport(channel::socket_transport(std::move(client))));
}

void listener::refuse(base::fd client, openxpc_error_code_t code, const char* text) {
  auto why = make_error(code, text);
  conversation::identity who;
  if (const ucred known = credentials_of(client); known.pid != 0)
    who = {true, known.pid, known.uid, known.gid, 0};
  // Said and hung up at once, so that its descriptor is free again. A client says nothing before it
  // is spoken to, so nothing of it is unread, which would take our word away from it.
  auto wire = channel::socket_transport(std::move(client));
  const base::buffer packet =
      channel::refusal_packet({refusal_code_of(code), true, false, std::string(text)});
  const iovec whole{const_cast<std::byte*>(packet.data()), packet.size()};
  wire->send({&whole, 1}, {}, false);
  wire.reset();
  engine::post([self = base::ref<listener>::share(this), why, who] {
    if (auto told = self->current_handlers()) told->refused(why, who);
  });
}

class listener::peer_delivery final : public delivery {
 public:
  peer_delivery(base::ref<listener> of, base::ref<conversation> talk)
      : of_(std::move(of)), talk_(std::move(talk)) {}
  void run() override {
    auto told = of_->current_handlers();
    if (!told) return drop();
    if (error_ref why = of_->required()) {
      talk_->refuse(why);
      talk_->abandon();
      return told->refused(why, talk_->who());
    }
    auto object = peer_object::make(of_->how_.peers, {}, talk_);
    {
      std::lock_guard lock(of_->mutex_);
      auto at = of_->peers_.find(talk_.get());
      if (at != of_->peers_.end()) at->second.object = object;
    }
    told->peer(object);
    talk_->end_if_turned_away();
  }
  /// The program has never seen it, so nobody but us will let go of it.
  void drop() override {
    talk_->cancel(make_error(OPENXPC_ERROR_CANCELED, "the listener was cancelled"));
    talk_->abandon();
  }

 private:
  base::ref<listener> of_;
  base::ref<conversation> talk_;
};

void listener::greeted(conversation& peer) {
  std::lock_guard lock(mutex_);
  auto at = peers_.find(&peer);
  if (at != peers_.end() && !std::exchange(at->second.greeted, true))
    half_open_.leave(at->second.user);
}

void listener::announce(conversation& peer) {
  {
    std::lock_guard lock(mutex_);
    auto at = peers_.find(&peer);
    if (at != peers_.end() && !std::exchange(at->second.announced, true)) ++announced_;
  }
  strand_.push(base::make_ref<peer_delivery>(base::ref<listener>::share(this),
                                             base::ref<conversation>::share(&peer)));
}

void listener::forget(conversation& peer) {
  known_peer gone;
  std::vector<base::function<void()>> then;
  {
    std::lock_guard lock(mutex_);
    auto at = peers_.find(&peer);
    if (at == peers_.end()) return;
    gone = std::move(at->second);
    peers_.erase(at);
    if (!gone.greeted) half_open_.leave(gone.user);
    if (gone.announced) --announced_;
    if (peers_.empty()) then.swap(on_empty_);
  }
  for (auto& each : then) each();
}

// --- Ending --------------------------------------------------------------------------------------

class listener::ended_delivery final : public delivery {
 public:
  ended_delivery(base::ref<listener> of, error_ref why)
      : of_(std::move(of)), why_(std::move(why)) {}
  bool is_last() const noexcept override { return true; }
  void run() override {
    base::ref<handlers> told;
    {
      std::lock_guard lock(of_->mutex_);
      told = std::move(of_->handlers_);
    }
    if (told) told->ended(why_);
  }

 private:
  base::ref<listener> of_;
  error_ref why_;
};

void listener::close_doors() {
  std::vector<base::ref<door>> doors;
  {
    std::lock_guard lock(mutex_);
    doors.swap(doors_);
  }
  for (auto& each : doors) each->close();
}

void listener::cancel(error_ref why) {
  if (engine::forked()) return;
  base::ref<object::endpoint> endpoint;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(over_, true)) return;
    ending_ = why;
    endpoint = std::move(endpoint_);
  }
  close_doors();
  // First the one, then the other: who is announced meanwhile comes behind it and is told nobody.
  strand_.push(base::make_ref<ended_delivery>(base::ref<listener>::share(this), std::move(why)));
  strand_.clear();
  strand_.kick(false);
}

void listener::cancel_all(error_ref why) {
  cancel(why);
  for (auto& each : all_peers()) each->cancel(why);
}

void listener::abandon() {
  if (engine::forked()) return;
  base::ref<handlers> told;
  {
    std::lock_guard lock(mutex_);
    object_ = nullptr;
    if (over_) return;
    told = std::move(handlers_);
  }
  cancel(make_error(OPENXPC_ERROR_CANCELED, "the program let go of the listener"));
}

void listener::stop(base::function<void()> done) {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  close_doors();
  // An object that stays until the end of this function keeps "the last peer is gone" from being
  // said too early.
  auto peers = all_peers();
  for (auto& each : peers) each->stop();
  auto ended = [self = base::ref<listener>::share(this), done = std::move(done)] {
    self->cancel(make_error(OPENXPC_ERROR_CANCELED, "the listener was closed"));
    if (done) done();
  };
  {
    std::lock_guard lock(mutex_);
    if (!peers_.empty()) {
      on_empty_.push_back(std::move(ended));
      return;
    }
  }
  ended();
}

void listener::wait_for_handlers() {
  strand_.wait_until_idle();
  for (auto& each : all_peers()) each->deliveries().wait_until_idle();
}

std::size_t listener::peer_count() const {
  std::lock_guard lock(mutex_);
  return announced_;
}

void listener::announce_termination() {
  for (auto& each : all_peers()) each->announce_termination();
}

std::vector<base::ref<conversation>> listener::all_peers() const {
  std::vector<base::ref<conversation>> all;
  std::lock_guard lock(mutex_);
  all.reserve(peers_.size());
  for (auto& [talk, known] : peers_) all.push_back(known.talk);
  return all;
}

void listener::set_object(listener_object* lent) {
  std::lock_guard lock(mutex_);
  object_ = lent;
}

base::ref<listener_object> listener::share_object() const {
  std::lock_guard lock(mutex_);
  if (!object_ || !object_->try_retain()) return nullptr;
  return base::ref<listener_object>::adopt(object_);
}

}  // namespace openxpc::connection
