#include "connection/conversation.hpp"

#include "base/random.hpp"
#include "channel/reaper.hpp"
#include "channel/ring/ring_transport.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/events.hpp"
#include "connection/handle.hpp"
#include "connection/peer_token.hpp"
#include "connection/stream.hpp"
#include "connection/trace.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"
#include "object/shared_fd.hpp"

// The program's side of a conversation: opening, sending, ending. What comes in is in arrivals.cpp.
//
// Locks: `mutex_` guards the state and is never held while a handler, a callback or the strand
// runs. Channel members may be called under it (they neither block nor call back), calls and rights
// have locks of their own that are never held around it.
namespace openxpc::connection {
namespace {

[[maybe_unused]] const bool closes_elsewhere = [] {
  object::shared_fd::close_received(channel::bury);
  return true;
}();

// Between attempts to connect: doubles from the first to the longest, and varies, so that many
// clients of one service that restarts do not come back in step.
constexpr auto first_pause = std::chrono::milliseconds(2);
constexpr auto longest_pause = std::chrono::milliseconds(500);

error_ref closed_error() {
  return make_error(OPENXPC_ERROR_INTERRUPTED, "the other side takes no more messages", {},
                    OPENXPC_ERROR_NOT_ACCEPTED);
}

}  // namespace

base::ref<conversation> conversation::make(options how) {
  return base::ref<conversation>::adopt(new conversation(std::move(how)));
}

conversation::conversation(options how) : how_(std::move(how)) {
  if (how_.announced_by) state_ = state::dialing;
}

conversation::~conversation() { forget_tokens_of(*this); }

void conversation::set_handlers(base::ref<handlers> told) {
  std::lock_guard lock(mutex_);
  if (!ended_told_) std::swap(handlers_, told);
}

base::ref<handlers> conversation::current_handlers() const {
  std::lock_guard lock(mutex_);
  return handlers_;
}

void conversation::activate() {
  {
    std::lock_guard lock(mutex_);
    if (activated_) return;
    activated_ = true;
  }
  if (how_.way) {
    if (error_ref why = how_.way->look_up()) {
      std::unique_lock lock(mutex_);
      if (state_ != state::over) end(lock, std::move(why), true);
    }
  }
  open_gate();
  let_handlers_run();
}

void conversation::let_handlers_run() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(handlers_run_, true)) return;
  }
  strand_.resume();
}

void conversation::suspend() {
  if (engine::forked()) return;
  {
    std::lock_guard lock(mutex_);
    ++suspends_;
  }
  strand_.suspend();
}

void conversation::resume() {
  if (engine::forked()) return;
  {
    std::lock_guard lock(mutex_);
    --suspends_;
  }
  open_gate();
  strand_.resume();
}

bool conversation::active() const {
  std::lock_guard lock(mutex_);
  return activated_;
}

unsigned conversation::suspends() const {
  std::lock_guard lock(mutex_);
  return suspends_;
}

void conversation::accept(std::unique_ptr<channel::transport> wire) {
  base::ref<channel::channel> over;
  {
    std::lock_guard lock(mutex_);
    // The listener was stopped meanwhile: as if it had been before the client came.
    if (state_ == state::over) return;
    over = channel_ = channel::channel::make(channel::side::accepting, how_.limits,
                                             base::ref<channel::sink>::share(this));
  }
  over->attach(std::move(wire));
}

// --- Sending -------------------------------------------------------------------------------------

// What is sent before the gate opens waits here; the channel keeps what is sent before the other
// side has said hello.
void conversation::open_gate() {
  bool dials = false;
  std::unique_lock lock(mutex_);
  while (!held_.empty() && gate_is_open() && state_ != state::over) {
    held item = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= item.body.size();
    if (!item.then) dials |= begin_dialing();
    pass_on(item);
  }
  lock.unlock();
  if (dials) dial();
}

bool conversation::begin_dialing() {
  step s = next(state_, event::message, how_.comes_back);
  state_ = s.to;
  if (s.then != duty::dial) return false;
  channel_ = channel::channel::make(channel::side::connecting, how_.limits,
                                    base::ref<channel::sink>::share(this));
  dialing_since_ = base::boot_clock::now();
  attempts_ = 0;
  return true;
}

void conversation::pass_on(held& item) {
  if (item.then) {
    if (item.alone) ++alone_;
    if (channel_)
      channel_->barrier(std::move(item.then));
    else
      engine::post(std::move(item.then));
    return;
  }
  channel::outgoing out;
  out.what = item.what;
  out.body = item.body.view();
  out.movable = &item.body;
  item.with.lend(out);
  out.extra = item.extra;
  out.context = item.context;
  out.full = channel::when_full::queue;
  channel::sent result = channel_->send(std::move(out));
  if (result.taken()) {
    if (item.context) item.context->issued(channel_, result.id);
  } else {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    // Under our lock nobody may be told anything: later, on the engine.
    if (item.context)
      engine::post([kept = item.context, why = failure_of(result)] { kept->unanswered(why); });
  }
}

error_ref conversation::failure_of(const channel::sent& result) {
  using outcome = channel::sent::outcome;
  switch (result.what) {
    case outcome::left:
    case outcome::queued:
      return nullptr;
    case outcome::would_block:
      return make_error(OPENXPC_ERROR_WOULD_BLOCK,
                        "the other side does not keep up: too much is waiting to be sent",
                        "wait until the conversation is writable, or raise limits.unsent_bytes");
    case outcome::closed:
      return closed_error();
    case outcome::too_large:
      return make_error(OPENXPC_ERROR_TOO_LARGE,
                        "the message is larger than the other side accepts");
    case outcome::too_many_attachments:
      return make_error(OPENXPC_ERROR_TOO_LARGE,
                        "the message holds more descriptors than the other side accepts");
    case outcome::not_open:
      return make_error(OPENXPC_ERROR_CANCELED, "nobody waits for this answer any more");
    case outcome::no_descriptors:
      return make_error(OPENXPC_ERROR_NO_RESOURCES,
                        "no descriptor is free to keep the message's descriptors in",
                        "raise the limit: ulimit -n");
  }
  return closed_error();
}

conversation::transmitted conversation::transmit(channel::kind what, object::dictionary& message,
                                                 channel::extensions extra,
                                                 base::ref<asker> context) {
  if (engine::forked()) return {forked_error(), 0, nullptr};
  encoded_message bytes;
  if (error_ref fault = encode(message, scratch_of_thread(), bytes))
    return {std::move(fault), 0, nullptr};
  trace::message(*this, trace::direction::out, what, message);
  return transmit_encoded(what, bytes, extra, std::move(context));
}

conversation::transmitted conversation::transmit_encoded(channel::kind what,
                                                         encoded_message& message,
                                                         channel::extensions extra,
                                                         base::ref<asker> context) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (state_ == state::over) return {over_error(), 0, nullptr};
    if (!gate_is_open()) {
      if (held_bytes_ + message.body.size() > how_.limits.unsent_bytes)
        return {failure_of({channel::sent::outcome::would_block, 0}), 0, nullptr};
      held_bytes_ += message.body.size();
      held item{what, {}, message.with, extra, std::move(context), {}, false};
      item.body.append(message.body);
      held_.push_back(std::move(item));
      return {};
    }
    bool dials = begin_dialing();
    base::ref<channel::channel> over = channel_;
    lock.unlock();

    channel::outgoing out;
    out.what = what;
    lend(message, out);
    out.extra = extra;
    out.context = context;
    out.full = how_.full;
    channel::sent result = over->send(std::move(out));
    if (dials) dial();
    if (result.taken()) {
      if (context) context->issued(over, result.id);
      return {nullptr, result.id, std::move(over)};
    }
    if (result.what == channel::sent::outcome::closed) {
      // The channel ended before we came; if the conversation has noticed and comes back, this
      // message is the one that brings it back.
      std::lock_guard again(mutex_);
      if (state_ == state::over) return {over_error(), 0, nullptr};
      if (channel_ != over || state_ == state::idle) continue;
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return {failure_of(result), 0, nullptr};
  }
}

error_ref conversation::send(object::dictionary& message) {
  return transmit(channel::kind::message, message, {}, nullptr).failure;
}

base::ref<call> conversation::request(object::dictionary& message, base::instant deadline,
                                      call::progress told) {
  auto made = base::make_ref<call>(base::ref<conversation>::share(this), deadline, std::move(told));
  channel::extensions extra;
  if (deadline != base::never) extra.deadline = base::to_wire(deadline);
  auto sent = transmit(channel::kind::request, message, extra, made);
  if (sent.failure) made->finish(nullptr, std::move(sent.failure));
  return made;
}

base::ref<reader> conversation::subscribe(object::dictionary& message, std::uint64_t credit_bytes,
                                          base::instant accept_by) {
  auto made = base::make_ref<reader>(base::ref<conversation>::share(this), credit_bytes);
  channel::extensions extra;
  extra.row_credit = credit_bytes;
  if (accept_by != base::never) extra.deadline = base::to_wire(accept_by);
  auto sent = transmit(channel::kind::subscribe, message, extra, made);
  if (sent.failure)
    made->unanswered(std::move(sent.failure));
  else
    made->expect_acceptance(accept_by);
  return made;
}

void conversation::send_answer(channel::channel& over, channel::kind what, std::uint64_t id,
                               object::dictionary& message) {
  if (engine::forked()) return;
  encoded_message bytes;
  if (error_ref fault = encode(message, scratch_of_thread(), bytes)) {
    if (what == channel::kind::progress) return;
    auto why = make_error(OPENXPC_ERROR_SERVICE_FAILED,
                          std::string("the reply cannot be sent: ") + fault->message());
    return send_answer(over, channel::kind::failure, id, *why->to_dictionary());
  }
  channel::outgoing out;
  out.what = what;
  out.id = id;
  lend(bytes, out);
  trace::message(*this, trace::direction::out, what, message);
  channel::sent result = over.send(std::move(out));
  if (result.answers_wait) answers_wait(over);
  using outcome = channel::sent::outcome;
  if (result.what == outcome::too_large || result.what == outcome::too_many_attachments ||
      result.what == outcome::no_descriptors) {
    if (what == channel::kind::reply)
      send_answer(over, channel::kind::failure, id, *failure_of(result)->to_dictionary());
  }
}

void conversation::barrier(base::function<void()> then) {
  if (engine::forked()) return then();
  std::unique_lock lock(mutex_);
  if (state_ != state::over && !gate_is_open()) {
    held_.push_back(held{channel::kind::message, {}, {}, {}, nullptr, std::move(then), false});
    return;
  }
  base::ref<channel::channel> over = state_ == state::over ? nullptr : channel_;
  lock.unlock();
  if (over)
    over->barrier(std::move(then));
  else
    engine::post(std::move(then));
}

void conversation::run_alone(base::function<void()> block) {
  if (engine::forked()) return block();
  base::function<void()> then = [self = base::ref<conversation>::share(this),
                                 block = std::move(block)]() mutable {
    self->run_alone_now(std::move(block));
  };
  base::ref<channel::channel> over;
  {
    std::lock_guard lock(mutex_);
    const bool is_over = state_ == state::over;
    if (!is_over && !gate_is_open()) {
      held_.push_back(held{channel::kind::message, {}, {}, {}, nullptr, std::move(then), true});
      return;
    }
    // From here on, or what is sent next could be on its way before the block begins.
    ++alone_;
    if (!is_over) over = channel_;
  }
  if (over)
    over->barrier(std::move(then));
  else
    engine::post(std::move(then));
}

void conversation::run_alone_now(base::function<void()> block) {
  run_soon(
      [self = base::ref<conversation>::share(this), block = std::move(block)]() mutable {
        block();
        block = nullptr;
        {
          std::lock_guard lock(self->mutex_);
          --self->alone_;
        }
        self->open_gate();
      },
      where());
}

void conversation::send_when_ready(object::dictionary& message,
                                   base::function<void(error_ref)> done) {
  if (engine::forked()) return done(forked_error());
  // Encoded now (rule 9), and behind those that came before it.
  waiting_send item;
  if (error_ref fault = encode(message, item.body, item.with))
    return run_soon([done = std::move(done), fault = std::move(fault)] { done(fault); }, where());
  item.done = std::move(done);
  {
    std::lock_guard lock(mutex_);
    waiting_sends_.push_back(std::move(item));
  }
  try_waiting_sends();
}

void conversation::try_waiting_sends() {
  std::unique_lock lock(mutex_);
  if (trying_sends_) return;
  trying_sends_ = true;
  while (!waiting_sends_.empty()) {
    waiting_send item = std::move(waiting_sends_.front());
    waiting_sends_.pop_front();
    lock.unlock();
    encoded_message message{item.body.view(), &item.body, item.with};
    error_ref why = transmit_encoded(channel::kind::message, message, {}, nullptr).failure;
    bool blocked = why && why->code() == OPENXPC_ERROR_WOULD_BLOCK;
    if (!blocked) run_soon([done = std::move(item.done), why] { done(why); }, where());
    lock.lock();
    if (!blocked) continue;
    waiting_sends_.push_front(std::move(item));
    // Unless room came back between the two: then writable() found us trying and left it to us.
    if (!std::exchange(writable_meanwhile_, false)) break;
  }
  trying_sends_ = false;
}

// --- Connecting ----------------------------------------------------------------------------------

void conversation::dial() {
  dialer::answer found = how_.way->dial(dialing_since_);
  std::unique_lock lock(mutex_);
  if (state_ != state::dialing) return;
  if (found.failure) return end(lock, std::move(found.failure), true);
  base::ref<channel::channel> over = channel_;
  lock.unlock();
  if (found.socket)
    over->attach(channel::ring_transport(channel::socket_transport(std::move(found.socket))));
  else if (!how_.way->wait([self = base::ref<conversation>::share(this)] { self->dial(); }))
    redial_later();
}

void conversation::redial_later() {
  std::lock_guard lock(mutex_);
  if (state_ != state::dialing) return;
  auto pause = std::min<std::chrono::nanoseconds>(first_pause * (1 << std::min(attempts_++, 10u)),
                                                  longest_pause);
  pause += std::chrono::nanoseconds(base::random_u64() % static_cast<std::uint64_t>(pause.count()));
  if (!redial_timer_)
    redial_timer_ = engine::timer(engine::any_loop(),
                                  [self = base::ref<conversation>::share(this)] { self->dial(); });
  redial_timer_.schedule(base::from_now(pause));
}

}  // namespace openxpc::connection
