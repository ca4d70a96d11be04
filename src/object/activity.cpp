#include "object/activity.hpp"

#include "object/describe.hpp"

#include <iterator>

namespace openxpc::object {

bool activity_may_ask(activity_state now, activity_state wanted) noexcept {
  switch (now) {
    case activity_state::run:
      return wanted == activity_state::defer || wanted == activity_state::go_on ||
             wanted == activity_state::done;
    case activity_state::go_on:
      return wanted == activity_state::defer || wanted == activity_state::done;
    default:
      return false;
  }
}

ref<object> activity::criteria() const {
  std::lock_guard lock(mutex_);
  return criteria_;
}

void activity::set_criteria(ref<object> changed) {
  std::lock_guard lock(mutex_);
  std::swap(criteria_, changed);
}

activity_state activity::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

bool activity::ask(activity_state wanted) {
  std::lock_guard lock(mutex_);
  if (!activity_may_ask(state_, wanted)) return false;
  state_ = wanted;
  return true;
}

bool activity::move(activity_state from, activity_state to) {
  std::lock_guard lock(mutex_);
  if (state_ != from) return false;
  state_ = to;
  return true;
}

void activity::describe(describer& out) const {
  static constexpr const char* names[activity_states] = {"CHECK_IN", "WAIT",     "RUN",
                                                         "DEFER",    "CONTINUE", "DONE"};
  out.text(" { identifier = ").quoted(identifier_);
  out.text(", state = ").text(names[static_cast<std::size_t>(state())]);
  if (ref<object> held = criteria()) out.text(", criteria = ").value(item(held.get()));
  out.text(" }");
}

}  // namespace openxpc::object
