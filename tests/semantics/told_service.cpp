#include "told_service.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

using talk::kept;

namespace semantics {

told_service::told_service(xpc_connection_t listener) : listener_(listener) { listen(listener); }

told_service::~told_service() {
  xpc_connection_cancel(listener_);
  close_endpoint();
  std::vector<kept> held, watchers;
  {
    std::lock_guard hold(mutex_);
    open_ = true;
    held.swap(held_);
    watchers.swap(watchers_);
  }
  changed_.notify_all();
  held.clear();
  watchers.clear();
  std::unique_lock hold(mutex_);
  if (!changed_.wait_for(hold, xpc_testing::patience(),
                         [this] { return live_ == 0 && listening_ == 0; }))
    ADD_FAILURE() << live_ << " peers and " << listening_ << " listeners never ended";
}

void told_service::listen(xpc_connection_t listener) {
  {
    std::lock_guard hold(mutex_);
    ++listening_;
  }
  talk::set_handler(listener, [this](xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_CONNECTION)
      return welcome(static_cast<xpc_connection_t>(event));
    std::lock_guard hold(mutex_);
    --listening_;
    changed_.notify_all();
  });
  xpc_connection_activate(listener);
}

void told_service::welcome(xpc_connection_t peer) {
  peer_facts facts;
  facts.pid = xpc_connection_get_pid(peer);
  facts.euid = xpc_connection_get_euid(peer);
  facts.egid = xpc_connection_get_egid(peer);
  facts.named = xpc_connection_get_name(peer) != nullptr;
  {
    std::lock_guard hold(mutex_);
    facts.number = ++peers_;
    ++live_;
  }
  watch("peer", facts.number);
  talk::set_handler(peer, [this, peer, facts](xpc_object_t event) { told(peer, facts, event); });
  xpc_connection_activate(peer);
}

void told_service::watch(const char* event, std::int64_t peer) {
  std::lock_guard hold(mutex_);
  for (const kept& each : watchers_) {
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_string(message, "event", event);
    xpc_dictionary_set_int64(message, "peer", peer);
    xpc_connection_send_message(static_cast<xpc_connection_t>(each.get()), message);
  }
}

void told_service::ended(const peer_facts& facts, xpc_connection_t peer) {
  kept gone;
  {
    std::lock_guard hold(mutex_);
    auto it = std::find_if(watchers_.begin(), watchers_.end(),
                           [&](const kept& each) { return each.get() == peer; });
    if (it != watchers_.end()) {
      gone = std::move(*it);
      watchers_.erase(it);
    }
  }
  xpc_connection_cancel(peer);  // harmless after its end (rules 58, 340)
  watch("invalid", facts.number);
  std::lock_guard hold(mutex_);
  --live_;
  changed_.notify_all();
}

void told_service::told(xpc_connection_t peer, const peer_facts& facts, xpc_object_t event) {
  if (event == XPC_ERROR_CONNECTION_INVALID) return ended(facts, peer);
  if (event == XPC_ERROR_CONNECTION_INTERRUPTED) return watch("interrupted", facts.number);
  if (event == XPC_ERROR_TERMINATION_IMMINENT) return watch("terminating", facts.number);
  const char* text = xpc_dictionary_get_string(event, "op");
  const std::string op = text ? text : "";
  if (op == "hold") {
    std::lock_guard hold(mutex_);
    held_.emplace_back(event);
    return;
  }
  if (op == "drop") return;
  owned reply(xpc_dictionary_create_reply(event));
  // A message without reply context is acted upon all the same; what it would be told is dropped.
  owned answer(reply ? xpc_retain(reply) : xpc_dictionary_create_empty());
  if (op == "twice") {
    owned second(xpc_dictionary_create_reply(event));
    xpc_dictionary_set_bool(answer, "second", second != nullptr);
  }
  if (op == "remote") {
    xpc_dictionary_set_bool(answer, "of-message",
                            xpc_dictionary_get_remote_connection(event) == peer);
    xpc_dictionary_set_bool(answer, "of-reply",
                            xpc_dictionary_get_remote_connection(answer) == peer);
  }
  if (act(op, peer, facts, event, answer) && reply) xpc_connection_send_message(peer, answer);
}

bool told_service::act(const std::string& op, xpc_connection_t peer, const peer_facts& facts,
                       xpc_object_t message, xpc_object_t reply) {
  const std::int64_t n = talk::number_in(message);
  xpc_dictionary_set_int64(reply, "n", n + 1);
  if (op == "note") {
    std::lock_guard hold(mutex_);
    notes_.push_back(n);
  } else if (op == "notes") {
    std::lock_guard hold(mutex_);
    owned all(xpc_array_create_empty());
    for (std::int64_t each : notes_) xpc_array_set_int64(all, XPC_ARRAY_APPEND, each);
    xpc_dictionary_set_value(reply, "notes", all);
    xpc_dictionary_set_int64(reply, "peers", peers_);
    xpc_dictionary_set_int64(reply, "pid", ::getpid());
  } else if (op == "answer" || op == "release") {
    std::vector<kept> held;
    {
      std::lock_guard hold(mutex_);
      held.swap(held_);
    }
    for (auto each = held.rbegin(); op == "answer" && each != held.rend(); ++each)
      talk::answer_plus_one(each->get());
  } else if (op == "cancel") {
    xpc_connection_cancel(peer);
    return false;
  } else if (op == "block") {
    block(facts);
  } else if (op == "unblock") {
    std::lock_guard hold(mutex_);
    open_ = true;
    changed_.notify_all();
  } else if (op == "say") {
    for (std::int64_t i = 1; i <= n; ++i) {
      owned word(talk::number(i));
      xpc_connection_send_message(peer, word);
    }
  } else if (op == "ask") {
    owned question(talk::number(n * 10));
    owned sure(xpc_connection_send_message_with_reply_sync(peer, question));
    xpc_dictionary_set_int64(reply, "n", talk::number_in(sure) + 1);
  } else if (op == "watch") {
    std::lock_guard hold(mutex_);
    watchers_.emplace_back(peer);
    xpc_dictionary_set_int64(reply, "peer", facts.number);
  } else if (op == "who") {
    xpc_dictionary_set_int64(reply, "peer", facts.number);
    xpc_dictionary_set_int64(reply, "pid", facts.pid);
    xpc_dictionary_set_int64(reply, "euid", facts.euid);
    xpc_dictionary_set_int64(reply, "egid", facts.egid);
    xpc_dictionary_set_bool(reply, "named", facts.named);
    xpc_dictionary_set_int64(reply, "euid-now", xpc_connection_get_euid(peer));
  } else if (op == "seen") {
    std::lock_guard hold(mutex_);
    xpc_dictionary_set_bool(reply, "equal",
                            last_seen_.get() && xpc_equal(last_seen_.get(), message));
    last_seen_ = kept(message);
  } else if (op == "nice") {
    xpc_dictionary_set_int64(reply, "nice", ::getpriority(PRIO_PROCESS, 0));
  } else if (op == "endpoint") {
    owned endpoint(open_endpoint());
    xpc_dictionary_set_value(reply, "endpoint", endpoint);
  } else if (op == "close-endpoint") {
    close_endpoint();
  } else if (op == "connect") {
    ask_others(message, reply);
  } else if (op == "keep") {
    std::lock_guard hold(mutex_);
    kept_endpoint_ = kept(xpc_dictionary_get_value(message, "endpoint"));
  } else if (op == "fetch") {
    std::lock_guard hold(mutex_);
    xpc_dictionary_set_value(reply, "endpoint", kept_endpoint_.get());
  } else if (op == "suspend") {
    xpc_connection_suspend(listener_);
  } else if (op == "resume") {
    xpc_connection_resume(listener_);
  } else if (op == "close") {
    xpc_connection_cancel(listener_);
  }
  return true;
}

void told_service::block(const peer_facts& facts) {
  watch("blocked", facts.number);
  std::unique_lock hold(mutex_);
  changed_.wait(hold, [this] { return open_; });
  open_ = false;
}

xpc_endpoint_t told_service::open_endpoint() {
  if (!anonymous_) {
    anonymous_ = xpc_connection_create(nullptr, nullptr);
    listen(anonymous_);
  }
  return xpc_endpoint_create(anonymous_);
}

void told_service::close_endpoint() {
  if (!anonymous_) return;
  xpc_connection_cancel(anonymous_);
  xpc_release(std::exchange(anonymous_, nullptr));
}

void told_service::ask_others(xpc_object_t message, xpc_object_t reply) {
  auto* to = static_cast<xpc_endpoint_t>(xpc_dictionary_get_value(message, "to"));
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < talk::number_in(message); ++i) {
    xpc_connection_t one = xpc_connection_create_from_endpoint(to);
    talk::events box;
    talk::set_handler(one, talk::into(box));
    xpc_connection_activate(one);
    owned question(talk::number(i));
    owned answer(xpc_connection_send_message_with_reply_sync(one, question));
    sum += talk::number_in(answer);
    talk::finish(one, box);
  }
  xpc_dictionary_set_int64(reply, "sum", sum);
}

}  // namespace semantics
