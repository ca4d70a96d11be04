#include "dispatch/queue.hpp"

#include <utility>

#include "dispatch/root.hpp"

namespace openxpc::dispatch {
namespace {

thread_local frame* innermost = nullptr;

bool leads_to(const queue* from, const queue& to) noexcept {
  for (; from; from = from->target())
    if (from == &to) return true;
  return false;
}

}  // namespace

void work::go(item* self) {
  auto* mine = static_cast<work*>(self);
  void* context = mine->context;
  dispatch_function_t function = mine->function;
  delete mine;
  function(context);
}

queue::~queue() {
  for (auto& each : specifics_) drop(each);
}

void queue::drop(const specific_value& value) {
  if (value.destructor) default_queue().async(value.context, value.destructor);
}

void queue::set_specific(const void* key, void* context, dispatch_function_t destructor) {
  specific_value old{};
  {
    std::lock_guard guard(specifics_lock_);
    auto at = specifics_.begin();
    while (at != specifics_.end() && at->key != key) ++at;
    if (at != specifics_.end()) {
      old = *at;
      if (context)
        *at = {key, context, destructor};
      else
        specifics_.erase(at);
    } else if (context) {
      specifics_.push_back({key, context, destructor});
    }
  }
  drop(old);
}

void* queue::specific(const void* key) noexcept {
  std::lock_guard guard(specifics_lock_);
  for (auto& each : specifics_)
    if (each.key == key) return each.context;
  return nullptr;
}

frame::frame(queue& on, bool alone) noexcept : at_(on), outer_(innermost), alone_(alone) {
  innermost = this;
}

frame::~frame() { innermost = outer_; }

queue* frame::current() noexcept {
  if (innermost) return &innermost->at_;
  return on_main_thread() ? &main_queue() : nullptr;
}

bool frame::holds(const queue& which) noexcept {
  for (frame* each = innermost; each; each = each->outer_)
    if (leads_to(&each->at_, which)) return true;
  return &which == &main_queue() && on_main_thread();
}

bool frame::holds_alone(const queue& which) noexcept {
  for (frame* each = innermost; each; each = each->outer_) {
    if (&each->at_ == &which && each->alone_) return true;
    if (which.serial() && leads_to(&each->at_, which)) return true;
  }
  return &which == &main_queue() && on_main_thread();
}

}  // namespace openxpc::dispatch
