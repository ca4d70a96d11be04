#include "support/child.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/dispatch.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstring>

// libxpc on the queues of a dispatch library that knows nothing of it: a stand-in for the real one
// with the same names. This program is linked to no dispatch library; each case is a process of its
// own, since the first table stands.

namespace {

template <class F>
F* symbol(void* handle, const char* name) {
  return reinterpret_cast<F*>(::dlsym(handle, name));
}

/// The stand-in's default queue; null when it cannot be loaded.
dispatch_queue_t load(void*& handle, int how) {
  handle = ::dlopen(OPENXPC_TEST_OTHER_DISPATCH, RTLD_NOW | how);
  if (!handle) return nullptr;
  auto* get = symbol<void*(long, unsigned long)>(handle, "dispatch_get_global_queue");
  return get ? static_cast<dispatch_queue_t>(get(0, 0)) : nullptr;
}

std::atomic<int>* calls(void* handle) {
  return symbol<std::atomic<int>>(handle, "other_dispatch_calls");
}

/// An echo over an anonymous listener whose every handler runs on the queue. 0 when it works.
int echo_on(dispatch_queue_t queue, const std::atomic<int>& submitted) {
  xpc_connection_t listener = ::xpc_connection_create(nullptr, queue);
  static dispatch_queue_t everywhere;
  everywhere = queue;
  ::xpc_connection_set_event_handler_f(listener, nullptr, [](xpc_object_t event, void*) {
    if (::xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    auto* peer = static_cast<xpc_connection_t>(event);
    ::xpc_connection_set_target_queue(peer, everywhere);
    ::xpc_connection_set_event_handler_f(peer, peer, [](xpc_object_t message, void* at) {
      if (::xpc_get_type(message) != XPC_TYPE_DICTIONARY) return;
      xpc_object_t reply = ::xpc_dictionary_create_reply(message);
      ::xpc_dictionary_set_int64(reply, "n", ::xpc_dictionary_get_int64(message, "n") + 1);
      ::xpc_connection_send_message(static_cast<xpc_connection_t>(at), reply);
      ::xpc_release(reply);
    });
    ::xpc_connection_activate(peer);
  });
  ::xpc_connection_activate(listener);
  xpc_endpoint_t endpoint = ::xpc_endpoint_create(listener);
  xpc_connection_t client = ::xpc_connection_create_from_endpoint(endpoint);
  static std::atomic<std::uint32_t> over{0};
  ::xpc_connection_set_event_handler_f(client, nullptr, [](xpc_object_t event, void*) {
    if (event != XPC_ERROR_CONNECTION_INVALID) return;
    over.store(1);
    over.notify_all();
  });
  ::xpc_connection_set_target_queue(client, queue);
  ::xpc_connection_activate(client);
  const int before = submitted.load();
  xpc_object_t message = ::xpc_dictionary_create(nullptr, nullptr, 0);
  ::xpc_dictionary_set_int64(message, "n", 41);
  xpc_object_t reply = ::xpc_connection_send_message_with_reply_sync(client, message);
  const bool right = ::xpc_dictionary_get_int64(reply, "n") == 42;
  // The new peer and its message.
  const bool on_queue = submitted.load() >= before + 2;
  ::xpc_connection_cancel(client);
  over.wait(0);
  ::xpc_connection_cancel(listener);
  for (xpc_object_t each :
       {reply, message, static_cast<xpc_object_t>(client), static_cast<xpc_object_t>(endpoint),
        static_cast<xpc_object_t>(listener)})
    ::xpc_release(each);
  if (!right) return 2;
  return on_queue ? 0 : 3;
}

XPC_TEST_ROLE(found_by_its_symbols) {
  void* handle = nullptr;
  dispatch_queue_t queue = load(handle, RTLD_GLOBAL);
  return queue ? echo_on(queue, *calls(handle)) : 1;
}

XPC_TEST_ROLE(named_by_the_program) {
  void* handle = nullptr;
  dispatch_queue_t queue = load(handle, RTLD_LOCAL);
  if (!queue || !::openxpc_dispatch_use_library(handle)) return 1;
  return echo_on(queue, *calls(handle));
}

XPC_TEST_ROLE(with_data) {
  void* handle = nullptr;
  if (!load(handle, RTLD_GLOBAL)) return 1;
  auto* make = symbol<void*(const void*, size_t)>(handle, "other_dispatch_data");
  auto* drop = symbol<void(void*)>(handle, "dispatch_release");
  if (!make || !drop) return 2;
  void* bytes = make("stand-in", 8);
  xpc_object_t data = ::xpc_data_create_with_dispatch_data(static_cast<dispatch_data_t>(bytes));
  drop(bytes);
  const bool right = ::xpc_data_get_length(data) == 8 &&
                     std::memcmp(::xpc_data_get_bytes_ptr(data), "stand-in", 8) == 0;
  ::xpc_release(data);
  return right ? 0 : 3;
}

int run(const char* role) {
  auto child = xpc_testing::child::role(role);
  const xpc_testing::ending end = child.wait();
  return end.signal ? -end.signal : end.status;
}

TEST(DispatchStandIn, HandlersRunOnTheQueuesOfALibraryThatIsFoundByItsSymbols) {
  EXPECT_EQ(run("found_by_its_symbols"), 0);
}
TEST(DispatchStandIn, HandlersRunOnTheQueuesOfALibraryThatTheProgramNames) {
  EXPECT_EQ(run("named_by_the_program"), 0);
}
TEST(DispatchStandIn, ItsDataObjectsBecomeXpcData) { EXPECT_EQ(run("with_data"), 0); }

}  // namespace
