#include "system/upgrade_load.hpp"

#include "support/mailbox.hpp"
#include "support/patience.hpp"

#include <algorithm>
#include <fstream>
#include <map>

namespace system_test {

namespace {

object_ref numbered(std::int64_t id) {
  object_ref message = dictionary();
  set(message, "id", id);
  return message;
}

std::uint64_t messages_sent(const session& client) {
  openxpc_counters_s counters{};
  counters.size = sizeof counters;
  ::openxpc_peer_get_counters(client.get(), &counters);
  return counters.sent_messages;
}

}  // namespace

clients::clients(const manager& xpcd, std::string name, int callers, kind which)
    : xpcd_(xpcd), name_(std::move(name)) {
  const bool streams = which == kind::callers_and_a_stream;
  for (int i = 0; i < callers + 1 + (streams ? 1 : 0); ++i)
    workers_.push_back(std::make_unique<worker>());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    worker& self = *workers_[i];
    self.thread = std::thread([this, &self, i, streams] {
      if (streams && i == 0) return stream_on(self);
      call_on(self, i == (streams ? 1 : 0));
    });
  }
}

clients::~clients() { stop(); }

void clients::stop() {
  stop_ = true;
  for (auto& each : workers_) {
    if (each->thread.joinable()) each->thread.join();
  }
}

void clients::call_on(worker& self, bool always_new) {
  session own = xpcd_.open(name_);
  while (!stop_) {
    if (always_new) own = xpcd_.open(name_);
    const std::int64_t id = next_id_++;
    answer reply = own.call(numbered(id));
    ++self.steps;
    if (reply) {
      ++answered_count_;
      std::lock_guard hold(lock_);
      answered_.insert(id);
      continue;
    }
    // Not accepted, or the conversation was over before the call was made: the only two words that
    // a client may hear. Trying again is another request here.
    if (!(reply.flags & OPENXPC_ERROR_NOT_ACCEPTED) && reply.code != OPENXPC_ERROR_CANCELED) {
      std::lock_guard hold(lock_);
      wrong_.push_back("request " + std::to_string(id) + ": " + reply.message);
    }
    own = xpcd_.open(name_);
  }
}

void clients::stream_on(worker& self) {
  while (!stop_) {
    session own = xpcd_.open(name_);
    std::vector<std::int64_t> queued;
    bool open = true;
    while (open && !stop_) {
      const std::int64_t id = next_id_++;
      for (bool full = true; full && open && !stop_;) {
        object_ref error(::openxpc_peer_send(own.get(), numbered(id).get()));
        const auto why = static_cast<xpc_rich_error_t>(error.get());
        full = error && ::openxpc_error_get_code(why) == OPENXPC_ERROR_WOULD_BLOCK;
        open = !error || full;
        if (!error) queued.push_back(id);
        if (full) std::this_thread::yield();
      }
      ++self.steps;
    }
    // All of it leaves; or the conversation is over already, and what did not leave is lost.
    xpc_testing::event flushed;
    ::openxpc_peer_flush(own.get(), &flushed, [](void* told, xpc_rich_error_t error) {
      static_cast<xpc_testing::event*>(told)->set();
      if (error) ::xpc_release(error);
    });
    flushed.wait();
    const std::uint64_t left = messages_sent(own);
    std::lock_guard hold(lock_);
    if (left > queued.size()) {
      wrong_.push_back("more left than was queued");
    } else {
      queued.resize(left);
    }
    streamed_.push_back(std::move(queued));
  }
}

void clients::wait_for_progress() {
  std::vector<std::int64_t> before;
  for (auto& each : workers_) before.push_back(each->steps);
  xpc_testing::wait_until("every client to get on", [&] {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i]->steps <= before[i] + 1) return false;
    }
    return true;
  });
}

std::vector<std::string> clients::finish(const std::string& file) {
  stop();
  auto handled = [&] {
    std::vector<std::int64_t> all;
    std::ifstream lines(file);
    for (std::int64_t id = 0; lines >> id;) all.push_back(id);
    return all;
  };
  std::size_t expected = answered_.size();
  for (const auto& part : streamed_) expected += part.size();
  // The last of the stream is accepted, and handled soon.
  xpc_testing::wait_until("what was accepted to be handled",
                          [&] { return handled().size() >= expected; });
  const std::vector<std::int64_t> all = handled();
  std::map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!place.emplace(all[i], i).second)
      wrong_.push_back(std::to_string(all[i]) + " was handled twice");
  }
  for (const std::int64_t id : answered_) {
    if (!place.erase(id)) wrong_.push_back("request " + std::to_string(id) + " left no trace");
  }
  for (const auto& part : streamed_) {
    std::size_t last = 0;
    for (const std::int64_t id : part) {
      auto at = place.find(id);
      if (at == place.end()) {
        wrong_.push_back("message " + std::to_string(id) + " was accepted and lost");
        continue;
      }
      if (at->second < last) wrong_.push_back("message " + std::to_string(id) + " came too late");
      last = at->second;
      place.erase(at);
    }
  }
  for (const auto& [id, where] : place) {
    wrong_.push_back(std::to_string(id) + " was handled, and its sender was told otherwise");
  }
  return wrong_;
}

}  // namespace system_test
