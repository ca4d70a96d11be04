#include "events/queue.hpp"

#include <algorithm>

namespace openxpc::events {

bool queue::add(event what) {
  if (!has_room(what.bytes)) return false;
  bytes_ += what.bytes;
  all_.push_back(std::move(what));
  return true;
}

bool queue::listen(const std::string& stream) {
  if (listening_.size() >= most_streams && listening_.count(stream) == 0) return false;
  listening_.insert(stream);
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
  bytes_ -= result.bytes;
  all_.erase(at);
  return result;
}

void queue::drop(const std::string& stream, const std::string& name) {
  std::erase_if(all_, [&](const event& one) {
    const bool gone = one.stream == stream && one.name == name;
    if (gone) bytes_ -= one.bytes;
    return gone;
  });
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
  std::set<std::string> busy;
  for (event& one : all_) {
    // One of a stream at a time: in their order, and what ends the process is one of them only.
    if (one.sent) busy.insert(one.stream);
    if (one.sent || busy.count(one.stream) != 0 || listening_.count(one.stream) == 0) continue;
    one.sent = true;
    return &one;
  }
  return nullptr;
}

bool queue::has_unread() const {
  return std::any_of(all_.begin(), all_.end(), [](const event& one) { return !one.sent; });
}

}  // namespace openxpc::events
