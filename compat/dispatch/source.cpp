#include "dispatch/source.hpp"

#include <utility>

#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/manager.hpp"
#include "dispatch/root.hpp"

// Life of a source: created with an inactive lane; activation starts the watch on the manager's
// thread; events gather in pending_ until the lane gets to the handler; cancellation takes the
// watch down on the manager's thread and only then queues the cancel handler. Everything under way
// holds a reference, so that the program may release the source in its own handler.

namespace openxpc::dispatch {

handler handler::of_function(dispatch_function_t function) noexcept {
  handler h;
  h.function_ = function;
  return h;
}
handler handler::of_block(void* block) {
  handler h;
  if (block) h.block_ = block_abi::copy(block);
  return h;
}
handler::handler(handler&& other) noexcept
    : function_(std::exchange(other.function_, nullptr)),
      block_(std::exchange(other.block_, nullptr)) {}
handler& handler::operator=(handler&& other) noexcept {
  std::swap(function_, other.function_);
  std::swap(block_, other.block_);
  return *this;
}
handler::~handler() {
  if (block_) block_abi::release(block_);
}
void handler::call(void* context) const {
  if (block_)
    block_abi::call(block_);
  else if (function_)
    function_(context);
}

source::source(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask, queue& target)
    : object(is),
      type_(type),
      handle_(handle),
      mask_(mask),
      lane_(held<lane>::adopt(
          new lane(target.label(), attribute{false, true, QOS_CLASS_UNSPECIFIED, 0}, target))) {}

void source::set(shared_handler& where, handler&& h) {
  auto fresh = h ? std::make_shared<const handler>(std::move(h)) : nullptr;
  std::lock_guard guard(lock_);
  where.swap(fresh);  // the old one goes after the lock
}

source::shared_handler source::get(const shared_handler& from) {
  std::lock_guard guard(lock_);
  return from;
}

void source::activate() {
  if (activated_.exchange(true)) return;
  held<source> self(this);
  manager::get().post([self] {
    if (self->canceled()) return;
    if (!self->watch_) self->watch_ = make_watch(*self);
    if (self->watch_) self->watch_->start();
    if (auto h = self->get(self->registration_handler_)) {
      auto* call = new std::pair<held<source>, shared_handler>(self, h);
      self->lane_->async(call, [](void* context) {
        std::unique_ptr<std::pair<held<source>, shared_handler>> mine(
            static_cast<std::pair<held<source>, shared_handler>*>(context));
        mine->second->call(mine->first->context());
        mine->first->set_registration_handler({});
      });
    }
  });
  lane_->activate();
}

void source::resume(const char* caller) {
  if (!activated_.load())
    activate();
  else
    lane_->resume(caller);
}

void source::merge(uintptr_t value) {
  if (canceled()) return;
  if (type_ == DISPATCH_SOURCE_TYPE_DATA_OR || type_ == DISPATCH_SOURCE_TYPE_PROC)
    pending_.fetch_or(value);
  else if (type_ == DISPATCH_SOURCE_TYPE_DATA_REPLACE || type_ == DISPATCH_SOURCE_TYPE_READ ||
           type_ == DISPATCH_SOURCE_TYPE_WRITE)
    pending_.store(value);
  else
    pending_.fetch_add(value);
  if (queued_.exchange(true)) return;
  retain();
  lane_->async(this, [](void* self) {
    auto* mine = static_cast<source*>(self);
    mine->deliver();
    mine->release();
  });
}

void source::deliver() {
  queued_.store(false);
  uintptr_t value = pending_.exchange(0);
  const bool replaces = type_ == DISPATCH_SOURCE_TYPE_DATA_REPLACE;
  if (canceled() || (value == 0 && !replaces)) return;
  data_.store(value, std::memory_order_relaxed);
  if (auto h = get(event_handler_)) h->call(context());
  // Descriptors report what is left over only after the handler has had its chance.
  if (watches_levels(type_) && !canceled())
    manager::get().post([self = held<source>(this)] {
      if (self->watch_) self->watch_->again();
    });
}

void source::set_timer(dispatch_time_t start, uint64_t interval) {
  std::uint64_t round = timer_round_.fetch_add(1) + 1;
  pending_.store(0);
  manager::get().post([self = held<source>(this), round, start, interval] {
    if (self->timer_round_.load() != round || self->canceled()) return;
    self->pending_.store(0);
    if (!self->watch_) self->watch_ = make_watch(*self);
    self->watch_->set_timer(start, interval);
  });
}

void source::cancel() {
  if (!canceled_.exchange(true)) end(true);
}

void source::end(bool tell) {
  manager::get().post([self = held<source>(this), tell] {
    self->watch_.reset();
    self->retain();
    // On the lane, so that the last event handler has returned; the blocks go there too.
    auto finish = [](void* context) {
      auto mine = held<source>::adopt(static_cast<source*>(context));
      auto h = mine->get(mine->cancel_handler_);
      mine->set_event_handler({});
      mine->set_registration_handler({});
      mine->set_cancel_handler({});
      if (h) h->call(mine->context());
    };
    if (!tell) self->set_cancel_handler({});
    self->lane_->async(self.get(), finish);
  });
}

void source::abandoned(const char* caller) {
  if (!activated_.load()) {
    if (canceled())
      lane_->activate();  // lets the cancel handler through
    else
      client_bug(caller, "the last reference to a source that was never activated");
    return;
  }
  if (!canceled_.exchange(true)) end(false);
}

queue* source::finalizer_queue() noexcept {
  queue* at = lane_->target();
  at->retain();
  return at;
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_source_t dispatch_source_create(dispatch_source_type_t type, uintptr_t handle,
                                         uintptr_t mask, dispatch_queue_t where) {
  if (!can_watch(type, handle, mask)) return nullptr;
  queue& target = where ? as<queue>(where, __func__) : default_queue();
  return wrap<dispatch_source_t>(new source(type, handle, mask, target));
}

void dispatch_source_set_event_handler_f(dispatch_source_t s, dispatch_function_t function) {
  as<source>(s, __func__).set_event_handler(handler::of_function(function));
}
void dispatch_source_set_event_handler(dispatch_source_t s, dispatch_block_t block) {
  as<source>(s, __func__).set_event_handler(handler::of_block(block));
}
void dispatch_source_set_cancel_handler_f(dispatch_source_t s, dispatch_function_t function) {
  as<source>(s, __func__).set_cancel_handler(handler::of_function(function));
}
void dispatch_source_set_cancel_handler(dispatch_source_t s, dispatch_block_t block) {
  as<source>(s, __func__).set_cancel_handler(handler::of_block(block));
}
void dispatch_source_set_registration_handler_f(dispatch_source_t s, dispatch_function_t function) {
  as<source>(s, __func__).set_registration_handler(handler::of_function(function));
}
void dispatch_source_set_registration_handler(dispatch_source_t s, dispatch_block_t block) {
  as<source>(s, __func__).set_registration_handler(handler::of_block(block));
}

void dispatch_source_cancel(dispatch_source_t s) { as<source>(s, __func__).cancel(); }
intptr_t dispatch_source_testcancel(dispatch_source_t s) {
  return as<source>(s, __func__).canceled() ? 1 : 0;
}
uintptr_t dispatch_source_get_handle(dispatch_source_t s) {
  return as<source>(s, __func__).handle();
}
uintptr_t dispatch_source_get_mask(dispatch_source_t s) { return as<source>(s, __func__).mask(); }
uintptr_t dispatch_source_get_data(dispatch_source_t s) { return as<source>(s, __func__).data(); }

void dispatch_source_merge_data(dispatch_source_t s, uintptr_t value) {
  auto& at = as<source>(s, __func__);
  bool takes = at.type() == DISPATCH_SOURCE_TYPE_DATA_ADD ||
               at.type() == DISPATCH_SOURCE_TYPE_DATA_OR ||
               at.type() == DISPATCH_SOURCE_TYPE_DATA_REPLACE;
  if (!takes) client_bug(__func__, "the source is of a type that takes no data");
  if (value != 0 || at.type() == DISPATCH_SOURCE_TYPE_DATA_REPLACE) at.merge(value);
}

void dispatch_source_set_timer(dispatch_source_t s, dispatch_time_t start, uint64_t interval,
                               uint64_t) {
  auto& at = as<source>(s, __func__);
  if (at.type() != DISPATCH_SOURCE_TYPE_TIMER) client_bug(__func__, "the source is not a timer");
  at.set_timer(start, interval);
}
