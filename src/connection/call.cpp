#include "connection/call.hpp"

#include "base/futex.hpp"
#include "connection/conversation.hpp"
#include "engine/blocking.hpp"
#include "engine/fork.hpp"

namespace openxpc::connection {

call::call(base::ref<conversation> by, base::instant deadline, progress told)
    : by_(std::move(by)), deadline_(deadline), progress_(std::move(told)) {}

call::~call() { let_go(); }

void call::let_go() {
  if (held_ && over_) over_->let_go(std::exchange(held_, {}));
}

void call::finish(base::ref<object::dictionary> reply, error_ref error) {
  finish(std::move(reply), std::move(error), {}, nullptr);
}

void call::finish(base::ref<object::dictionary> reply, error_ref error, const channel::charge& held,
                  channel::channel* over) {
  completion done;
  base::ref<executor> where;
  {
    std::lock_guard lock(mutex_);
    if (done_) {
      if (held) over->let_go(held);
      return;
    }
    done_ = true;
    if (held) {
      if (!over_) over_ = base::ref<channel::channel>::share(over);
      held_ = held;
    }
    word_.store(1, std::memory_order_release);
    if (waits_in_)
      waits_in_->finish(waiter_);
    else if (sleeps_)
      base::futex_wake(word_);
    if (!completion_) {
      reply_ = std::move(reply);
      error_ = std::move(error);
      return;
    }
    done = std::move(completion_);
    where = std::move(where_);
    let_go();
  }
  by_->unlist_call(*this);
  by_->run_soon([done = std::move(done), reply = std::move(reply),
                 error = std::move(error)]() mutable { done(std::move(reply), std::move(error)); },
                where);
}

bool call::ready() {
  if (engine::forked()) return true;
  {
    std::lock_guard lock(mutex_);
    if (done_) return true;
  }
  if (deadline_ == base::never || base::boot_clock::now() < deadline_) return false;
  expire();
  return true;
}

error_ref call::wait(base::ref<object::dictionary>& reply) {
  if (engine::forked()) return forked_error();
  for (;;) {
    base::ref<channel::channel> in;
    {
      std::lock_guard lock(mutex_);
      waits_in_ = nullptr;
      if (done_) {
        reply = std::move(reply_);
        let_go();
        return std::move(error_);
      }
      if (!in) in = over_;
      waits_in_ = in;
    }
    auto outcome = channel::waited::closed;
    if (in) outcome = in->wait(waiter_, deadline_);
    if (outcome == channel::waited::timed_out) {
      expire();
    } else if (outcome == channel::waited::closed) {
      // No channel yet (the gate is closed), or one that just ended: its end is being reported on
      // another thread.
      {
        std::lock_guard lock(mutex_);
        waits_in_ = nullptr;
        sleeps_ = true;
      }
      engine::blocking_region away;
      while (word_.load(std::memory_order_acquire) == 0)
        if (!base::futex_wait(word_, 0, deadline_)) {
          expire();
          break;
        }
    }
  }
}

void call::then(completion done, base::ref<executor> where) {
  if (engine::forked()) return done(nullptr, forked_error());
  base::ref<object::dictionary> reply;
  error_ref error;
  {
    std::unique_lock lock(mutex_);
    if (!done_) {
      completion_ = std::move(done);
      where_ = std::move(where);
      lock.unlock();
      return expect_by_deadline();
    }
    reply = std::move(reply_);
    error = std::move(error_);
    let_go();
  }
  by_->run_soon([done = std::move(done), reply = std::move(reply),
                 error = std::move(error)]() mutable { done(std::move(reply), std::move(error)); },
                where);
}

/// On the conversation's list, from which the outcome takes it. One that came meanwhile has not
/// found it there; then it would stay, and keep the conversation with its descriptors, for good.
void call::expect_by_deadline() {
  if (deadline_ == base::never) return;
  by_->list_call(*this);
  bool over;
  {
    std::lock_guard lock(mutex_);
    over = done_;
  }
  if (over) by_->unlist_call(*this);
}

base::ref<executor> call::default_executor() const { return by_->where(); }

void call::cancel() {
  if (engine::forked()) return;
  give_up(channel::cancel_reason::stopped,
          make_error(OPENXPC_ERROR_CANCELED, "the call was cancelled"));
}

void call::expire() {
  give_up(channel::cancel_reason::timed_out,
          make_error(OPENXPC_ERROR_TIMED_OUT, "no reply came in time"));
}

void call::give_up(channel::cancel_reason reason, error_ref why) {
  base::ref<channel::channel> over;
  std::uint64_t id;
  {
    std::lock_guard lock(mutex_);
    if (done_) return;
    over = over_;
    id = id_;
  }
  if (over && id) over->withdraw(id, reason, true);
  finish(nullptr, std::move(why));
}

void call::issued(base::ref<channel::channel> over, std::uint64_t id) {
  std::lock_guard lock(mutex_);
  over_ = std::move(over);
  id_ = id;
}

void call::answered(channel::arrival&& what, channel::channel& over) {
  error_ref fault;
  if (what.what == channel::kind::progress) {
    auto report = conversation::decode(what, fault);
    if (report && progress_)
      by_->run_soon([self = base::ref<call>::share(this),
                     report = std::move(report)]() mutable { self->progress_(std::move(report)); },
                    by_->where());
    over.let_go(what.held);
    return;
  }
  auto message = conversation::decode(what, fault);
  if (message && what.what == channel::kind::failure) {
    fault = object::rich_error::from(*message);
    message = nullptr;
  }
  channel::charge held = what.held;
  if (!message) over.let_go(std::exchange(held, {}));
  finish(std::move(message), std::move(fault), held, &over);
}

}  // namespace openxpc::connection
