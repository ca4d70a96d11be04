#include "channel/reaper.hpp"
#include "connection/conversation.hpp"
#include "connection/events.hpp"
#include "connection/handle.hpp"
#include "connection/stream.hpp"
#include "connection/trace.hpp"
#include "engine/engine.hpp"
#include "engine/fork.hpp"

#include <algorithm>

// What comes in over the channel. Everything here runs under the reader role: it sorts, queues and
// counts, and leaves handlers and callbacks to role_given_up().
namespace openxpc::connection {
namespace {

/// Work that a sink call of a conversation leaves until this thread has given up the role.
struct later {
  base::function<void()> work;
  later* next = nullptr;
};

/// Of this thread and not of the conversation: when it looks, the next holder of the role may
/// already be at work. Trivial to destroy, so that looking costs nothing.
struct batch {
  const conversation* of = nullptr;  ///< whose sink calls this thread is making
  later* first = nullptr;
  later* last = nullptr;
};
thread_local constinit batch receiving;

}  // namespace

void conversation::run_soon(base::function<void()> work, const base::ref<executor>& where) {
  if (where) return where->post(std::move(work));
  if (receiving.of != this) {
    engine::post(std::move(work));
    return;
  }
  auto* added = new later{std::move(work), nullptr};
  (receiving.first ? receiving.last->next : receiving.first) = added;
  receiving.last = added;
}

void conversation::role_given_up(bool by_engine) {
  later* first = std::exchange(receiving, {}).first;
  if (how_.announced_by) how_.announced_by->kick(by_engine);
  while (first) {
    std::unique_ptr<later> each(first);
    first = each->next;
    if (by_engine)
      each->work();
    else
      engine::post(std::move(each->work));
  }
  strand_.kick(by_engine);
}

void conversation::opened(const channel::peer_info& peer) {
  receiving.of = this;
  {
    std::lock_guard lock(mutex_);
    state_ = next(state_, event::opened, how_.comes_back).to;
    if (stops_once_open_) state_ = next(state_, event::stop, how_.comes_back).to;
    // What the kernel says, not what the hello says.
    who_ = {true, peer.pid, peer.uid, peer.gid, who_.instance + 1};
    greeted_ = channel_;
  }
  if (how_.announced_by) how_.announced_by->greeted(*this);
}

void conversation::not_opened(const channel::closing&) {
  receiving.of = this;
  redial_later();
}

// What is refused here may have descriptors whose close() blocks for as long as their sender chose;
// a caller who reads for itself must not wait for that.
base::ref<object::dictionary> conversation::decode(channel::arrival& what, error_ref& fault) {
  if (what.lost_attachments) {
    fault = make_error(OPENXPC_ERROR_NO_RESOURCES,
                       "descriptors of the message were lost: this process has none free",
                       "raise the limit: ulimit -n");
    channel::bury(what.attachments);
    return nullptr;
  }
  if (what.not_taken) {
    fault =
        make_error(OPENXPC_ERROR_TOO_LARGE, "replies_not_taken: too many replies wait to be taken");
    return nullptr;
  }
  std::optional<wire::malformed> broken;
  auto message = what.whole ? object::decode(std::move(what.whole), std::move(what.attachments),
                                             wire::mode::local, broken)
                            : object::decode(what.body, std::move(what.attachments),
                                             wire::mode::local, broken);
  if (broken) {
    fault = make_error(OPENXPC_ERROR_MALFORMED, wire::describe(*broken));
    channel::bury(what.attachments);
  }
  return message;
}

void conversation::arrived(channel::arrival&& what) {
  receiving.of = this;
  using channel::kind;
  switch (what.what) {
    case kind::message:
    case kind::request:
    case kind::subscribe:
      return arrived_call(std::move(what));
    case kind::cancel:
      return arrived_cancel(what);
    default:
      break;
  }
  auto context = std::move(what.context);
  if (context)
    static_cast<asker*>(context.get())->answered(std::move(what), *channel_);
  else
    channel_->let_go(what.held);
}

void conversation::arrived_call(channel::arrival&& what) {
  error_ref fault;
  base::ref<object::dictionary> message;
  const base::instant deadline = what.deadline ? base::from_wire(*what.deadline) : base::never;
  if (what.deadline && deadline <= base::boot_clock::now()) {
    fault = make_error(OPENXPC_ERROR_TIMED_OUT, "the deadline had passed when the request arrived");
    channel::bury(what.attachments);
  } else {
    message = decode(what, fault);
  }
  base::ref<reply_right> right;
  if (what.what != channel::kind::message)
    right = base::make_ref<reply_right>(base::ref<conversation>::share(this), channel_, what.id);
  bool announce = false;
  if (right || how_.announced_by) {
    std::lock_guard lock(mutex_);
    if (right) rights_.push_back(right.get());
    if (!fault && how_.announced_by) announce = !std::exchange(announced_, true);
  }
  if (message) trace::message(*this, trace::direction::in, what.what, *message);
  if (fault) {
    channel_->let_go(what.held);
    if (right)
      right->fail(fault);
    else
      dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto added = base::make_ref<incoming>(base::ref<conversation>::share(this), channel_, what.what,
                                        std::move(message), what.held);
  added->right = std::move(right);
  added->deadline = deadline;
  added->row_credit = what.row_credit.value_or(0);
  strand_.push(std::move(added));
  if (announce) how_.announced_by->announce(*this);
}

void conversation::arrived_cancel(const channel::arrival& what) {
  base::ref<reply_right> right;
  base::ref<writer> stream;
  {
    std::lock_guard lock(mutex_);
    for (reply_right* each : rights_)
      if (each->id() == what.id && each->try_retain()) right = base::ref<reply_right>::adopt(each);
    for (writer* each : writers_)
      if (each->id() == what.id && each->try_retain()) stream = base::ref<writer>::adopt(each);
  }
  if (stream) run_soon([stream] { stream->stop(); }, nullptr);
  if (!right) return;
  if (auto unbegun = strand_.withdraw(what.id)) {
    right->fail(make_error(OPENXPC_ERROR_CANCELED, "cancelled before it was begun", {},
                           OPENXPC_ERROR_NOT_ACCEPTED));
    return;
  }
  run_soon([right] { right->cancel(); }, nullptr);
}

void conversation::deliver(incoming& what) {
  auto told = current_handlers();
  auto kept = base::ref<incoming>::share(&what);
  if (!told) {
    if (what.right)
      what.right->fail(make_error(OPENXPC_ERROR_CANCELED, "the service ended the conversation", {},
                                  OPENXPC_ERROR_NOT_ACCEPTED));
    return;
  }
  if (what.what == channel::kind::subscribe)
    told->subscribed(std::move(kept));
  else
    told->received(std::move(kept));
}

void conversation::writable(std::uint64_t id) {
  receiving.of = this;
  if (id == 0) {
    bool waiting;
    {
      std::lock_guard lock(mutex_);
      writable_meanwhile_ = trying_sends_;
      waiting = !waiting_sends_.empty();
    }
    if (waiting)
      run_soon([self = base::ref<conversation>::share(this)] { self->try_waiting_sends(); },
               nullptr);
    return;
  }
  base::ref<writer> stream;
  {
    std::lock_guard lock(mutex_);
    for (writer* each : writers_)
      if (each->id() == id && each->try_retain()) stream = base::ref<writer>::adopt(each);
  }
  if (stream) run_soon([stream] { stream->pump(); }, nullptr);
}

// Answers cannot be refused, so what bounds them is that no handler begins to make another while
// too many wait. Requests that have come stay queued, bounded by credit and the count of unanswered
// ones.
void conversation::answers_wait(const channel::channel& over) {
  std::lock_guard lock(mutex_);
  if (&over != channel_.get() || (state_ != state::open && state_ != state::stopping)) return;
  if (++answers_waiting_ == 1) strand_.suspend();
}

void conversation::answers_left() {
  {
    std::lock_guard lock(mutex_);
    if (--answers_waiting_ != 0) return;
  }
  strand_.resume();
}

/// The channel is over, and with it what waited. True: resume().
bool conversation::forget_waiting_answers() { return std::exchange(answers_waiting_, 0) > 0; }

void conversation::ending(const channel::closing& how) {
  using reason = channel::closing::reason;
  std::lock_guard lock(mutex_);
  if (how.why == reason::peer_refused || how.why == reason::we_refused) refused_ = error_of(how);
  if (how.why == reason::protocol_error || how.why == reason::system_error) broken_ = error_of(how);
}

void conversation::unanswered(base::ref<base::counted> context, std::uint64_t, channel::fate how) {
  receiving.of = this;
  error_ref why, broken;
  {
    std::lock_guard lock(mutex_);
    if (state_ == state::over) why = ending_;
    broken = broken_;
    // Who decides against a client has handled nothing of what came with its hello; only a quarrel
    // over the protocol may break out later.
    if (!why && refused_ &&
        (how == channel::fate::not_accepted || refused_->code() != OPENXPC_ERROR_INCOMPATIBLE))
      why = refused_;
  }
  if (!why) why = error_of(how, broken);
  if (context) static_cast<asker*>(context.get())->unanswered(std::move(why));
}

void conversation::drained() {
  receiving.of = this;
  bool was_announced;
  {
    std::lock_guard lock(mutex_);
    if (next(state_, event::drained, how_.comes_back).then != duty::finish) return;
    was_announced = !how_.announced_by || announced_;
  }
  strand_.push(base::make_ref<stopping_delivery>(base::ref<conversation>::share(this)));
  // Nobody else will let the end of one be handled that the program was not told of.
  if (!was_announced) let_handlers_run();
}

void conversation::closed(const channel::closing& how) {
  receiving.of = this;
  using reason = channel::closing::reason;
  event what = event::lost;
  if (how.why == reason::we_refused || (how.why == reason::peer_refused && !how.may_retry))
    what = event::unreachable;
  error_ref why = error_of(how);
  std::unique_lock lock(mutex_);
  step s = next(state_, what, how_.comes_back);
  state_ = s.to;
  refused_ = broken_ = nullptr;
  if (s.then == duty::interrupt) return interrupt(lock, std::move(why));
  if (s.then == duty::end) end(lock, std::move(why), false);
}

// --- Who is to be told ---------------------------------------------------------------------------

void conversation::answered(reply_right& right) {
  if (engine::forked()) return;
  bool last;
  {
    std::lock_guard lock(mutex_);
    auto at = std::find(rights_.begin(), rights_.end(), &right);
    if (at == rights_.end()) return;
    *at = rights_.back();
    rights_.pop_back();
    last = rights_.empty() && finishing_;
  }
  if (last) finish_if_answered();
}

void conversation::add_writer(writer& added) {
  std::lock_guard lock(mutex_);
  writers_.push_back(&added);
}

void conversation::remove_writer(writer& removed) {
  {
    std::lock_guard lock(mutex_);
    std::erase(writers_, &removed);
  }
  finish_if_answered();
}

void conversation::leave_rights() {
  std::vector<base::ref<reply_right>> left;
  {
    std::lock_guard lock(mutex_);
    for (reply_right* each : rights_)
      if (each->try_retain()) left.push_back(base::ref<reply_right>::adopt(each));
  }
  for (auto& each : left) run_soon([right = std::move(each)] { right->cancel(); }, nullptr);
}

void conversation::stop_writers() {
  std::vector<base::ref<writer>> left;
  {
    std::lock_guard lock(mutex_);
    for (writer* each : writers_)
      if (each->try_retain()) left.push_back(base::ref<writer>::adopt(each));
  }
  for (auto& each : left) run_soon([stream = std::move(each)] { stream->stop(); }, nullptr);
}

/// Planned stop: streams end, so that their readers go on elsewhere from their own sequence number.
void conversation::end_writers() {
  std::vector<base::ref<writer>> left;
  {
    std::lock_guard lock(mutex_);
    for (writer* each : writers_)
      if (each->try_retain()) left.push_back(base::ref<writer>::adopt(each));
  }
  for (auto& each : left) {
    each->fail(make_error(OPENXPC_ERROR_INTERRUPTED, "the service stops"));
    each->stop();
  }
}

// --- Deadlines of calls that nobody blocks for
// ----------------------------------------------------

void conversation::list_call(call& added) {
  std::unique_lock lock(mutex_);
  if (added.listed_ || state_ == state::over) return;
  added.listed_ = true;
  added.retain();
  added.previous_ = nullptr;
  added.next_ = calls_;
  if (calls_) calls_->previous_ = &added;
  calls_ = &added;
  if (added.deadline() >= next_deadline_) return;
  next_deadline_ = added.deadline();
  if (!deadline_timer_)
    deadline_timer_ =
        engine::timer(engine::any_loop(),
                      [self = base::ref<conversation>::share(this)] { self->check_deadlines(); });
  deadline_timer_.schedule(next_deadline_);
}

void conversation::unlist_call(call& removed) {
  {
    std::lock_guard lock(mutex_);
    if (!removed.listed_) return;
    removed.listed_ = false;
    (removed.previous_ ? removed.previous_->next_ : calls_) = removed.next_;
    if (removed.next_) removed.next_->previous_ = removed.previous_;
  }
  removed.release();
}

void conversation::check_deadlines() {
  std::vector<base::ref<call>> expired;
  {
    std::lock_guard lock(mutex_);
    base::instant now = base::boot_clock::now();
    next_deadline_ = base::never;
    for (call* each = calls_; each; each = each->next_) {
      if (each->deadline() <= now)
        expired.push_back(base::ref<call>::share(each));
      else
        next_deadline_ = std::min(next_deadline_, each->deadline());
    }
    if (next_deadline_ != base::never && deadline_timer_) deadline_timer_.schedule(next_deadline_);
  }
  for (auto& each : expired) each->expire();
}

}  // namespace openxpc::connection
