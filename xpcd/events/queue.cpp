#include "events/queue.hpp"

#include <algorithm>

namespace openxpc::events {

bool queue::add(event what) {
  if (all_.size() >= most_events) return false;
  all_.push_back(std::move(what));
  return true;
}

void queue::forget_process() {
  listening_.clear();
  for (event& one : all_) one.sent = false;
}

event queue::take(std::int64_t id) {
  auto at = std::find_if(all_.begin(), all_.end(), [id](const event& one) { return one.id == id; });
  event result;
  if (at == all_.end()) return result;
  result = std::move(*at);
  all_.erase(at);
  return result;
}

void queue::drop(const std::string& stream, const std::string& name) {
  std::erase_if(all_, [&](const event& one) { return one.stream == stream && one.name == name; });
}

bool queue::has_unsent(const std::string& stream, const std::string& name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const event& one) {
    return !one.sent && one.stream == stream && one.name == name;
  });
}

bool queue::has_sent() const {
  return std::any_of(all_.begin(), all_.end(), [](const event& one) { return one.sent; });
}

const event* queue::next() {
  for (event& one : all_) {
    if (one.sent || listening_.count(one.stream) == 0) continue;
    one.sent = true;
    return &one;
  }
  return nullptr;
}

bool queue::has_unread() const {
  return std::any_of(all_.begin(), all_.end(), [](const event& one) { return !one.sent; });
}

}  // namespace openxpc::events
