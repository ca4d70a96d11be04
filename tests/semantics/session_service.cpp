// A service of the session API as a process of its own, for session_listener_test.cpp.
#include <xpc/openxpc/service.h>

#include <atomic>
#include <string>

#include "a_session.hpp"

using namespace semantics;

namespace {

/// What becomes of the sessions that come from now on; "mode" changes it.
enum mode : std::int64_t { accepts, rejects, cancels, decides_nothing, stays_silent };
std::atomic<std::int64_t> current{accepts};
std::atomic<std::int64_t> sessions{0}, ended{0};
/// The first message may be here before it is set.
std::atomic<xpc_listener_t> listener{nullptr};

void answer(xpc_session_t peer, xpc_object_t message) {
  const char* text = xpc_dictionary_get_string(message, "op");
  const std::string op = text ? text : "";
  const std::int64_t n = talk::number_in(message);
  owned reply(xpc_dictionary_create_reply(message));
  if (op == "mode") current = n;
  if (op == "close") {
    listener.wait(nullptr);
    xpc_listener_cancel(listener);
  }
  if (op == "say") {
    owned failure(xpc_session_send_message(peer, owned(talk::number(n))));
  }
  if (!reply) return;
  xpc_dictionary_set_int64(reply, "n", n + 1);
  xpc_dictionary_set_int64(reply, "pid", ::getpid());
  xpc_dictionary_set_int64(reply, "sessions", sessions);
  xpc_dictionary_set_int64(reply, "ended", ended);
  owned failure(xpc_session_send_message(peer, reply));
}

void welcome(xpc_session_t peer) {
  ++sessions;
  switch (current) {
    case rejects:
      return xpc_listener_reject_peer(peer, "not today");
    case cancels:
      return xpc_session_cancel(peer);
    case decides_nothing:
      return;
    default:
      break;
  }
  message_block message([peer](xpc_object_t what) { answer(peer, what); });
  xpc_session_set_incoming_message_handler(peer, message.get());
  error_block end([](xpc_rich_error_t) { ++ended; });
  xpc_session_set_cancel_handler(peer, end.get());
}

xpc_listener_t listen(const char* name, xpc_listener_create_flags_t flags) {
  made_block<void(xpc_session_t)> incoming(welcome);
  xpc_rich_error_t error = nullptr;
  xpc_listener_t made = xpc_listener_create(name, nullptr, flags, incoming.get(), &error);
  if (!made) throw std::runtime_error(text_of(owned(error)));
  return made;
}

}  // namespace

XPC_TEST_ROLE(session_service) {
  adopt_socket(call);
  listener = listen(call.arguments.at(0).c_str(), XPC_LISTENER_CREATE_NONE);
  listener.notify_all();
  serve_until_asked(call);
  return 0;
}

/// Service and client in one: the listener is inactive at first.
XPC_TEST_ROLE(inactive_listener) {
  adopt_socket(call);
  const char* name = call.arguments.at(0).c_str();
  listener = listen(name, XPC_LISTENER_CREATE_INACTIVE);
  {
    a_session s(name);
    outcomes replies;
    s.ask_later(owned(talk::number(1)), replies);
    xpc_testing::say("before: " + std::to_string(sessions));
    const bool activated = xpc_listener_activate(listener, nullptr);
    xpc_testing::say("activated: " + std::to_string(activated));
    outcome got = replies.take();
    xpc_testing::say("answer: " + std::to_string(talk::number_in(got.reply.get())));
  }
  xpc_testing::hear();
  xpc_listener_activate(listener, nullptr);  // misuse
  return 0;
}

XPC_TEST_ROLE(releases_an_inactive_listener) {
  adopt_socket(call);
  listener = listen(call.arguments.at(0).c_str(), XPC_LISTENER_CREATE_INACTIVE);
  xpc_listener_t cancelled = listen(call.arguments.at(0).c_str(), XPC_LISTENER_CREATE_INACTIVE);
  xpc_listener_cancel(cancelled);
  xpc_release(cancelled);
  xpc_testing::say("released the cancelled one");
  xpc_release(listener);  // misuse
  return 0;
}
