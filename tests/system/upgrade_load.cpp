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

clients::clients(const manager& xpcd, std::string name, mix which)
    : xpcd_(xpcd), name_(std::move(name)) {
  start(&clients::call_anew);
  for (int i = 0; i < which.callers; ++i) start(&clients::call_on);
  if (which.sender) start(&clients::send_on);
  if (which.subscriber) start(&clients::listen_on);
}

clients::~clients() { stop(); }

void clients::start(void (clients::*work)(worker&)) {
  workers_.push_back(std::make_unique<worker>());
  worker& self = *workers_.back();
  self.thread = std::thread([this, &self, work] { (this->*work)(self); });
}

void clients::stop() {
  {
    std::lock_guard hold(lock_);
    stop_ = true;
    if (reading_ != nullptr) ::openxpc_stream_cancel(reading_);
  }
  for (auto& each : workers_) {
    if (each->thread.joinable()) each->thread.join();
  }
}

void clients::complain(std::string what) {
  std::lock_guard hold(lock_);
  wrong_.push_back(std::move(what));
}

/// @return the conversation to go on with
session clients::call_once(worker& self, session own) {
  const std::int64_t id = next_id_++;
  answer reply = own.call(numbered(id));
  ++self.steps;
  if (reply) {
    ++answered_count_;
    std::lock_guard hold(lock_);
    answered_.insert(id);
    return own;
  }
  // Not accepted, or the conversation was over before the call was made: the only two words that
  // a client may hear. Trying again is another request here.
  if (!(reply.flags & OPENXPC_ERROR_NOT_ACCEPTED) && reply.code != OPENXPC_ERROR_CANCELED)
    complain("request " + std::to_string(id) + ": " + reply.message);
  return xpcd_.open(name_);
}

void clients::call_on(worker& self) {
  for (session own = xpcd_.open(name_); !stop_;) own = call_once(self, std::move(own));
}

void clients::call_anew(worker& self) {
  while (!stop_) (void)call_once(self, xpcd_.open(name_));
}

void clients::send_on(worker& self) {
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
    sent_.push_back(std::move(queued));
  }
}

/// By its name, so that the one connection goes on with whoever serves.
void clients::listen_on(worker& self) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = xpcd_.directory().c_str();
  xpc_rich_error_t error = nullptr;
  object_ref own(::openxpc_connection_open(name_.c_str(), &options, &error));
  if (!own) {
    complain(std::string("no connection: ") + ::openxpc_error_get_message(error));
    return ::xpc_release(error);
  }
  for (std::int64_t token = 1; !stop_; ++token) {
    object_ref wanted = dictionary();
    set(wanted, "token", token);
    openxpc_stream_t events = ::openxpc_peer_subscribe(own.get(), wanted.get(), 0, 0);
    {
      std::lock_guard hold(lock_);
      reading_ = events;
      if (stop_) ::openxpc_stream_cancel(events);
    }
    read_events(self, events, token);
    {
      std::lock_guard hold(lock_);
      reading_ = nullptr;
    }
    ::openxpc_stream_release(events);
  }
  ::openxpc_peer_cancel(own.get(), nullptr);
  ::openxpc_peer_wait_for_handlers(own.get());
}

void clients::read_events(worker& self, openxpc_stream_t events, std::int64_t token) {
  heard now;
  openxpc_row_s row{};
  while (::openxpc_stream_wait_next(events, OPENXPC_FOREVER, &row) == OPENXPC_NEXT_ROW) {
    const object_ref event(row.value);
    if (row.sequence != now.known + row.missed)
      complain("event " + std::to_string(row.sequence) + " came after " +
               std::to_string(now.known) + ", and " + std::to_string(row.missed) + " were missed");
    if (static_cast<std::uint64_t>(number_at(event, "number")) != row.sequence)
      complain("event " + std::to_string(number_at(event, "number")) + " came as " +
               std::to_string(row.sequence));
    now.known = row.sequence + 1;
    ++self.steps;
  }
  const object_ref why(::openxpc_stream_copy_error(events));
  const auto error = static_cast<xpc_rich_error_t>(why.get());
  const auto code = error ? ::openxpc_error_get_code(error) : OPENXPC_ERROR_NONE;
  const std::string text = error ? ::openxpc_error_get_message(error) : "in order";
  now.to_its_end = text == "the service stops";
  if (code != OPENXPC_ERROR_INTERRUPTED && code != OPENXPC_ERROR_CANCELED)
    complain("subscription " + std::to_string(token) + " ended: " + text);
  std::lock_guard hold(lock_);
  heard_[token] = now;
}

/// What the service told its subscribers is in `file`, a line "TOKEN EVENTS" a subscription.
void clients::account_for_events(const std::string& file) {
  const auto told = [&] {
    std::map<std::int64_t, std::uint64_t> all;
    std::ifstream lines(file);
    std::uint64_t events = 0;
    for (std::int64_t token = 0; lines >> token >> events;) all[token] = events;
    return all;
  };
  for (const auto& [token, what] : heard_) {
    // No service may have seen that one.
    if (what.known == 0) continue;
    xpc_testing::wait_until(
        "the service to note what it told subscription " + std::to_string(token),
        [&, token = token] { return told().count(token) != 0; });
    const std::uint64_t sent = told()[token];
    if (what.to_its_end ? what.known != sent : what.known > sent)
      wrong_.push_back("subscription " + std::to_string(token) + " knows of " +
                       std::to_string(what.known) + " events, and " + std::to_string(sent) +
                       " were sent");
  }
}

std::int64_t clients::subscriptions() const {
  return std::count_if(heard_.begin(), heard_.end(),
                       [](const auto& one) { return one.second.known > 0; });
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
  account_for_events(file + ".streams");
  std::size_t expected = answered_.size();
  for (const auto& part : sent_) expected += part.size();
  // The last of what was sent is accepted, and handled soon.
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
  for (const auto& part : sent_) {
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
