#pragma once

#include "support/mailbox.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "owned.hpp"

// Both ends of a connection in one process, through an anonymous listener (rule 88), with their
// events in mailboxes.
namespace talk {

/// A function as an event handler; kept for ever, since a handler may be called until the final
/// event.
using handler = std::function<void(xpc_object_t)>;

inline void call_handler(xpc_object_t event, void* context) {
  (*static_cast<handler*>(context))(event);
}

inline void set_handler(xpc_connection_t connection, handler told) {
  // Never destroyed: a process that ends still hears how its conversations end.
  static auto& mutex = *new std::mutex;
  static auto& all = *new std::vector<std::unique_ptr<handler>>;
  std::lock_guard hold(mutex);
  all.push_back(std::make_unique<handler>(std::move(told)));
  xpc_connection_set_event_handler_f(connection, all.back().get(), call_handler);
}

/// An event with a reference of its own.
class kept {
 public:
  kept() = default;
  explicit kept(xpc_object_t lent) : at_(lent ? xpc_retain(lent) : nullptr) {}
  kept(kept&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  kept& operator=(kept&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~kept() {
    if (at_) xpc_release(at_);
  }
  xpc_object_t get() const { return at_; }

 private:
  xpc_object_t at_ = nullptr;
};

using events = xpc_testing::mailbox<kept>;

inline handler into(events& box) {
  return [&box](xpc_object_t event) { box.put(kept(event)); };
}

/// A dictionary with one number.
inline xpc_object_t number(std::int64_t n) {
  xpc_object_t made = xpc_dictionary_create_empty();
  xpc_dictionary_set_int64(made, "n", n);
  return made;
}
inline std::int64_t number_in(xpc_object_t message) {
  return xpc_dictionary_get_int64(message, "n");
}

/// Answers each request with its number plus one.
inline void answer_plus_one(xpc_object_t event) {
  if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
  xpc_object_t reply = xpc_dictionary_create_reply(event);
  if (!reply) return;
  xpc_dictionary_set_int64(reply, "n", number_in(event) + 1);
  xpc_connection_send_message(xpc_dictionary_get_remote_connection(event), reply);
  xpc_release(reply);
}

/// A listener whose peers get `told`; `peers` receives each peer, retained.
class service {
 public:
  explicit service(std::function<void(xpc_connection_t, xpc_object_t)> told)
      : told_(std::move(told)) {
    listener_ = xpc_connection_create(nullptr, nullptr);
    set_handler(listener_, [this](xpc_object_t event) {
      if (xpc_get_type(event) != XPC_TYPE_CONNECTION) {
        listener_events.put(kept(event));
        return;
      }
      auto peer = static_cast<xpc_connection_t>(event);
      {
        std::lock_guard hold(mutex_);
        ++live_;
      }
      set_handler(peer, [this, peer](xpc_object_t what) {
        const bool last = what == XPC_ERROR_CONNECTION_INVALID;
        told_(peer, what);
        if (!last) return;
        std::lock_guard hold(mutex_);
        --live_;
        changed_.notify_all();
      });
      peers.put(kept(peer));
      xpc_connection_activate(peer);
    });
    xpc_connection_activate(listener_);
    endpoint_ = xpc_endpoint_create(listener_);
  }
  /// Its clients are gone by now; their peers may still have a last event to hear, which needs what
  /// the handler uses.
  ~service() {
    cancel();
    std::unique_lock hold(mutex_);
    EXPECT_TRUE(changed_.wait_for(hold, xpc_testing::patience(), [this] { return live_ == 0; }));
    hold.unlock();
    xpc_release(endpoint_);
    xpc_release(listener_);
  }
  void cancel() {
    if (std::exchange(cancelled_, true)) return;
    xpc_connection_cancel(listener_);
    EXPECT_EQ(listener_events.take().get(), XPC_ERROR_CONNECTION_INVALID);
  }
  xpc_connection_t listener() const { return listener_; }
  xpc_endpoint_t endpoint() const { return endpoint_; }
  xpc_connection_t connect(handler told) const {
    xpc_connection_t made = xpc_connection_create_from_endpoint(endpoint_);
    set_handler(made, std::move(told));
    xpc_connection_activate(made);
    return made;
  }

  xpc_testing::mailbox<kept> peers;
  events listener_events;

 private:
  std::function<void(xpc_connection_t, xpc_object_t)> told_;
  xpc_connection_t listener_;
  xpc_endpoint_t endpoint_;
  bool cancelled_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int live_ = 0;
};

/// Ends a client connection and waits for its last event.
inline void finish(xpc_connection_t client, events& box) {
  xpc_connection_cancel(client);
  while (box.take().get() != XPC_ERROR_CONNECTION_INVALID) {
  }
  xpc_release(client);
}

}  // namespace talk
