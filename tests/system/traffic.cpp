// Services for traffic_test.cpp: they count descriptors, stream both ways, call back, hand
// endpoints on.

#include "support/role.hpp"

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "system/blocking_send.hpp"
#include "system/manager.hpp"

using namespace system_test;

namespace {

openxpc_listener_options_s options_of(void (*on_request)(void*, openxpc_request_t)) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = on_request;
  return options;
}

int serve(const std::string& name, const openxpc_listener_options_s& options) {
  object_ref listener(::openxpc_listener_open(name.c_str(), &options, nullptr));
  if (!listener) return 1;
  ::openxpc_wait_for_termination();
  return 0;
}

void count_files(void*, openxpc_request_t request) {
  object_ref reply = dictionary();
  set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  xpc_object_t files = ::xpc_dictionary_get_array(::openxpc_request_get_message(request), "files");
  std::int64_t open = 0;
  for (std::size_t i = 0; files && i < ::xpc_array_get_count(files); ++i) {
    const int file = ::xpc_array_dup_fd(files, i);
    open += file >= 0 && ::fcntl(file, F_GETFD) == FD_CLOEXEC;
    ::close(file);
  }
  set(reply, "open", open);
  // Back they go.
  if (files) ::xpc_dictionary_set_value(reply.get(), "files", files);
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// files NAME: counts the descriptors of each request and sends them back.
XPC_TEST_ROLE(files) { return serve(call.arguments.at(0), options_of(count_files)); }

namespace {

struct both_ways {
  std::atomic<std::int64_t> next{0}, wrong{0};
  std::thread sender;
};
both_ways traffic;

void take_one(void*, openxpc_request_t message) {
  xpc_object_t content = ::openxpc_request_get_message(message);
  if (::xpc_dictionary_get_int64(content, "n") != traffic.next) ++traffic.wrong;
  // The first message starts the other direction.
  if (traffic.next++ == 0) {
    object_ref peer(::openxpc_request_copy_sender(message));
    const std::int64_t count = ::xpc_dictionary_get_int64(content, "count");
    traffic.sender =
        std::thread([peer = std::move(peer), count] { send_numbered(peer.get(), count); });
  }
  std::this_thread::yield();  // slower than whoever sends
  ::openxpc_request_release(message);
}

void tell_traffic(void*, openxpc_request_t request) {
  object_ref reply = dictionary();
  set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  set(reply, "received", traffic.next.load());
  set(reply, "wrong", traffic.wrong.load());
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// both-ways NAME: takes numbered messages and sends as many, both at once.
XPC_TEST_ROLE(both_ways) {
  openxpc_listener_options_s options = options_of(tell_traffic);
  options.conversation.handlers.on_message = take_one;
  const int result = serve(call.arguments.at(0), options);
  if (traffic.sender.joinable()) traffic.sender.join();
  return result;
}

namespace {

/// Asks the caller something before it answers, and passes on what came of it.
void ask_back(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  object_ref reply = dictionary();
  if (::xpc_dictionary_get_bool(message, "ask-back")) {
    object_ref sender(::openxpc_request_copy_sender(request));
    object_ref question = dictionary();
    answer got = session::wait(::openxpc_peer_call(sender.get(), question.get(), nullptr));
    set(reply, "code", static_cast<std::int64_t>(got.code));
    if (got) set(reply, "inner", number_at(got.reply, "inner"));
  }
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// asks-back NAME
XPC_TEST_ROLE(asks_back) { return serve(call.arguments.at(0), options_of(ask_back)); }

namespace {

xpc_endpoint_t own_endpoint = nullptr;

void give_endpoint(void*, openxpc_request_t request) {
  object_ref reply = dictionary();
  set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  ::xpc_dictionary_set_value(reply.get(), "endpoint", own_endpoint);
  ::openxpc_request_reply(request, reply.get());
}

void tell_pid(void*, openxpc_request_t request) {
  object_ref reply = dictionary();
  set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// gives-endpoint NAME: answers with the endpoint of a listener without a name.
XPC_TEST_ROLE(gives_endpoint) {
  const openxpc_listener_options_s options = options_of(tell_pid);
  xpc_listener_t listener = ::openxpc_listener_open_anonymous(&options, nullptr);
  own_endpoint = ::openxpc_listener_create_endpoint(listener);
  const int result = serve(call.arguments.at(0), options_of(give_endpoint));
  ::xpc_release(own_endpoint);
  ::openxpc_listener_cancel(listener);
  ::xpc_release(listener);
  return result;
}

namespace {

session relay_source;

void relay(void*, openxpc_request_t request) {
  answer got = relay_source.call("endpoint");
  object_ref reply(got ? got.reply.release() : dictionary().release());
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// relays NAME DIRECTORY SOURCE: answers with what another service answers.
XPC_TEST_ROLE(relays) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = call.arguments.at(1).c_str();
  relay_source = session(::openxpc_session_open(call.arguments.at(2).c_str(), &options, nullptr));
  const int result = serve(call.arguments.at(0), options_of(relay));
  relay_source.end();
  return result;
}
