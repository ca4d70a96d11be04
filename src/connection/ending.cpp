#include "connection/conversation.hpp"
#include "connection/events.hpp"
#include "connection/handle.hpp"
#include "connection/stream.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"

#include <cerrno>
#include <string>
#include <utility>

// How a conversation ends, who is told of it, and what can be seen of it afterwards.
namespace openxpc::connection {

void conversation::announce_termination() {
  strand_.push(base::make_ref<terminating_delivery>(base::ref<conversation>::share(this)));
  strand_.kick(false);
}

void conversation::settle() {
  std::vector<base::function<void()>> then;
  {
    std::lock_guard lock(mutex_);
    then.swap(on_end_);
    settled_ = true;
  }
  for (auto& each : then) each();
  if (how_.announced_by) how_.announced_by->forget(*this);
}

void conversation::cancel(error_ref reason) {
  if (engine::forked()) return;
  std::unique_lock lock(mutex_);
  // One that the listener's handler has returned without a word, or that has its handlers: nobody
  // else will let the end be handled. Otherwise end_if_turned_away() does.
  const bool is_new_peer = how_.announced_by && !activated_ && (handlers_ || was_shown_);
  if (state_ != state::over) {
    end(lock, std::move(reason), true);
  } else {
    // The other side was faster; what it said before is not wanted either.
    lock.unlock();
    strand_.clear();
  }
  if (is_new_peer) let_handlers_run();
}

void conversation::end_if_turned_away() {
  {
    std::lock_guard lock(mutex_);
    was_shown_ = true;
  }
  if (is_cancelled()) let_handlers_run();
}

void conversation::refuse(error_ref reason) {
  std::unique_lock lock(mutex_);
  activated_ = true;
  if (state_ == state::over) {
    lock.unlock();
    return let_handlers_run();
  }
  if (channel_)
    channel_->refuse(refusal_code_of(reason->code()), false, false, std::string(reason->message()));
  end(lock, std::move(reason), false);
  // Nobody activates what was refused; its last delivery runs all the same, or it would hold itself
  // and its listener for ever.
  let_handlers_run();
}

void conversation::abandon() {
  if (engine::forked()) return;
  std::unique_lock lock(mutex_);
  object_ = nullptr;
  // Over before: the handler still gets its last call, also where nobody is left to open the gate
  // for it. Otherwise nobody is left who wants one.
  if (state_ == state::over) {
    activated_ = true;
    unsigned gates = std::exchange(suspends_, 0) + (std::exchange(handlers_run_, true) ? 0u : 1u);
    lock.unlock();
    for (; gates > 0; --gates) strand_.resume();
    return;
  }
  ended_told_ = true;
  auto told = std::move(handlers_);
  end(lock, make_error(OPENXPC_ERROR_CANCELED, "the program let go of the conversation"), true);
}

// Everybody who waits for something from this conversation is told once, each from where it is
// safe: calls by the channel (unanswered), rights and writers here, the handler by the strand,
// last.
void conversation::end(std::unique_lock<base::mutex>& lock, error_ref why, bool hang_up) {
  state_ = state::over;
  ending_ = why;
  base::ref<channel::channel> over = channel_;
  std::deque<held> unsent = std::move(held_);
  held_.clear();
  held_bytes_ = 0;
  for (const held& item : unsent)
    if (item.alone) ++alone_;
  auto waiting = std::move(waiting_sends_);
  waiting_sends_.clear();
  bool told = !ended_told_ && (!how_.announced_by || announced_);
  const bool was_held_back = forget_waiting_answers();
  engine::timer redial = std::move(redial_timer_), deadlines = std::move(deadline_timer_);
  lock.unlock();
  if (hang_up && over) over->cancel(std::string(why->message()));
  leave_rights();
  stop_writers();
  drop_held(std::move(unsent), why);
  for (waiting_send& item : waiting)
    run_soon([done = std::move(item.done), why] { done(why); }, where());
  if (told) strand_.push(base::make_ref<ended_delivery>(base::ref<conversation>::share(this), why));
  // What the other side said before it went is still delivered; a local cancel ends all at once
  // (rule 57), and what still arrives comes behind the end.
  if (hang_up) strand_.clear();
  if (was_held_back) strand_.resume();
  if (!told) return settle();
  strand_.kick(false);
}

/// Barriers run all the same; whoever waits for an answer hears why there is none.
void conversation::drop_held(std::deque<held> unsent, const error_ref& why) {
  for (held& item : unsent) {
    if (item.then) {
      engine::post(std::move(item.then));
      continue;
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
    if (item.context)
      engine::post([kept = std::move(item.context), why] { kept->unanswered(why); });
  }
}

void conversation::interrupt(std::unique_lock<base::mutex>& lock, error_ref why) {
  if (forget_waiting_answers()) strand_.resume();
  // Rule 64: what waits here was queued before the interruption, as what waited in the channel was.
  std::deque<held> unsent = std::move(held_);
  held_.clear();
  held_bytes_ = 0;
  for (const held& item : unsent)
    if (item.alone) ++alone_;
  lock.unlock();
  drop_held(std::move(unsent), why);
  leave_rights();
  stop_writers();
  strand_.push(
      base::make_ref<interrupted_delivery>(base::ref<conversation>::share(this), std::move(why)));
  strand_.kick(false);
}

void conversation::stop() {
  if (engine::forked()) return;
  std::unique_lock lock(mutex_);
  if (how_.announced_by && state_ == state::dialing && channel_) {
    // A client that is just saying hello: what it has sent with it is accepted. No hello, no more.
    stops_once_open_ = true;
    base::ref<channel::channel> over = channel_;
    lock.unlock();
    return over->stop();
  }
  step s = next(state_, event::stop, how_.comes_back);
  if (s.then == duty::end)
    return end(lock, make_error(OPENXPC_ERROR_CANCELED, "this process stops"), true);
  if (state_ == s.to) return;
  state_ = s.to;
  base::ref<channel::channel> over = channel_;
  lock.unlock();
  over->stop();
}

void conversation::close(base::function<void()> done) {
  if (engine::forked()) {
    if (done) done();
    return;
  }
  std::unique_lock lock(mutex_);
  if (done) {
    if (settled_) {
      lock.unlock();
      return run_soon(std::move(done), where());
    }
    on_end_.push_back(std::move(done));
  }
  if (state_ == state::over || closing_) return;
  if (state_ == state::idle)
    return end(lock, make_error(OPENXPC_ERROR_CANCELED, "closed by this side"), true);
  closing_ = true;
  base::ref<channel::channel> over = channel_;
  lock.unlock();
  // Behind what has arrived, and behind what is to be sent: first the one, then the other.
  over->barrier([this, self = base::ref<conversation>::share(this)] {
    strand_.push(base::make_ref<stopping_delivery>(self));
    strand_.kick(false);
  });
}

void conversation::finish_if_answered() {
  base::ref<channel::channel> over;
  {
    std::lock_guard lock(mutex_);
    if (!finishing_ || !rights_.empty() || state_ == state::over) return;
    over = channel_;
  }
  over->close(closing_ ? "closed" : "the service stops");
}

// --- Looking -------------------------------------------------------------------------------------

bool conversation::over() const { return engine::forked() || ended(); }

bool conversation::ended() const {
  // The lock may be held by a thread that is not there, and there is no other.
  if (engine::forked()) return state_ == state::over;
  std::lock_guard lock(mutex_);
  return state_ == state::over;
}

bool conversation::is_cancelled() const {
  if (engine::forked()) return true;
  std::lock_guard lock(mutex_);
  return ending_ &&
         (ending_->code() == OPENXPC_ERROR_CANCELED || ending_->code() == OPENXPC_ERROR_REFUSED);
}

error_ref conversation::ending() const {
  if (engine::forked()) return forked_error();
  std::lock_guard lock(mutex_);
  return ending_;
}

error_ref conversation::over_error() const {
  // Whoever comes late hears why it ended, as an error of its own: what ended it is the cause.
  if (ending_->code() == OPENXPC_ERROR_CANCELED || ending_->code() != OPENXPC_ERROR_INTERRUPTED)
    return ending_;
  return make_error(OPENXPC_ERROR_CANCELED,
                    std::string("the conversation is over: ") + ending_->message(), {},
                    OPENXPC_ERROR_NOT_ACCEPTED);
}

base::ref<channel::channel> conversation::current_channel() const {
  std::lock_guard lock(mutex_);
  return channel_;
}

void conversation::set_object(peer_object* lent) {
  std::lock_guard lock(mutex_);
  object_ = lent;
}

base::ref<peer_object> conversation::share_object() const {
  std::lock_guard lock(mutex_);
  if (!object_ || !object_->try_retain()) return nullptr;
  return base::ref<peer_object>::adopt(object_);
}

conversation::identity conversation::who() const {
  std::lock_guard lock(mutex_);
  return who_;
}

base::fd conversation::copy_pidfd() const {
  std::lock_guard lock(mutex_);
  const channel::peer_info* peer = greeted_ ? greeted_->peer() : nullptr;
  if (!peer || !peer->pidfd) {
    errno = who_.known ? ENOTSUP : ENOTCONN;
    return {};
  }
  return base::fd::copy(peer->pidfd.get());
}

channel::counters conversation::count() const {
  auto over = current_channel();
  return over ? over->count() : channel::counters{};
}

}  // namespace openxpc::connection
