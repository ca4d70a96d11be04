#pragma once

#include <xpc/openxpc/error.h>

#include "settings.hpp"

namespace semantics {

using message_block = made_block<void(xpc_object_t)>;
using error_block = made_block<void(xpc_rich_error_t)>;
using reply_block = made_block<void(xpc_object_t, xpc_rich_error_t)>;

inline std::string text_of(xpc_object_t error) {
  char* text = xpc_rich_error_copy_description(static_cast<xpc_rich_error_t>(error));
  std::string copy = text ? text : "";
  ::free(text);
  return copy;
}

/// What a reply handler of a session was called with.
struct outcome {
  talk::kept reply, error;
};
using outcomes = xpc_testing::mailbox<outcome>;

/// A client session and what it hears.
class a_session {
 public:
  /// With both handlers, active.
  explicit a_session(const char* name, dispatch_queue_t queue = nullptr)
      : a_session(created(name, queue, XPC_SESSION_CREATE_INACTIVE)) {
    xpc_rich_error_t error = nullptr;
    EXPECT_TRUE(xpc_session_activate(session_, &error)) << text_of(error);
  }
  /// Takes over an inactive session and gives it its handlers.
  explicit a_session(xpc_session_t owned_inactive) : session_(owned_inactive) {
    message_block message([this](xpc_object_t what) { messages.put(talk::kept(what)); });
    xpc_session_set_incoming_message_handler(session_, message.get());
    error_block end([this](xpc_rich_error_t why) {
      endings.put(talk::kept(why));
      over_.set();
    });
    xpc_session_set_cancel_handler(session_, end.get());
  }
  ~a_session() {
    xpc_session_cancel(session_);
    xpc_release(session_);
    try {
      over_.wait();
    } catch (const std::exception&) {
      ADD_FAILURE() << "a session's cancel handler never ran";
    }
  }
  a_session(const a_session&) = delete;

  static xpc_session_t created(const char* name, dispatch_queue_t queue,
                               xpc_session_create_flags_t flags) {
    xpc_rich_error_t error = nullptr;
    xpc_session_t made = xpc_session_create_mach_service(name, queue, flags, &error);
    if (!made) throw std::runtime_error(text_of(owned(error)));
    return made;
  }

  operator xpc_session_t() const { return session_; }  // NOLINT: implicit on purpose
  /// The reply, or NULL with `why` where the test asks for it.
  owned ask(const owned& message, owned* why = nullptr) const {
    xpc_rich_error_t error = nullptr;
    owned reply(xpc_session_send_message_with_reply_sync(session_, message, &error));
    EXPECT_EQ(reply == nullptr, error != nullptr);
    owned kept_error(error);
    if (why) *why = std::move(kept_error);
    return reply;
  }
  owned ask(const char* op, std::int64_t n = 0) const { return ask(order(op, n)); }
  std::int64_t add(std::int64_t n) const {
    owned reply = ask(owned(talk::number(n)));
    return reply ? talk::number_in(reply) : -1;
  }
  owned send(const owned& message) const { return xpc_session_send_message(session_, message); }
  void ask_later(const owned& message, outcomes& into) const {
    reply_block told([&into](xpc_object_t reply, xpc_rich_error_t error) {
      into.put({talk::kept(reply), talk::kept(error)});
    });
    xpc_session_send_message_with_reply_async(session_, message, told.get());
  }

  talk::events messages, endings;

 private:
  xpc_session_t session_;
  xpc_testing::event over_;
};

}  // namespace semantics
