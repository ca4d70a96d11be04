#pragma once

#include "support/mailbox.hpp"

#include "system/manager.hpp"

/// Messages in a row, as fast as they can be queued.
namespace system_test {

/// {n: 0}, {n: 1} ... {n: count - 1}, each with 4,000 bytes and the count; waits for room. False
/// when the conversation ends.
inline bool send_numbered(xpc_object_t peer, std::int64_t count) {
  const std::string bytes(4000, 'm');
  for (std::int64_t i = 0; i < count; ++i) {
    object_ref message = dictionary();
    set(message, "n", i);
    set(message, "count", count);
    ::xpc_dictionary_set_data(message.get(), "bytes", bytes.data(), bytes.size());
    xpc_testing::mailbox<bool> queued;
    ::openxpc_peer_send_when_ready(peer, message.get(), &queued,
                                   [](void* told, xpc_rich_error_t error) {
                                     static_cast<xpc_testing::mailbox<bool>*>(told)->put(!error);
                                     if (error) ::xpc_release(error);
                                   });
    if (!queued.take()) return false;
  }
  return true;
}

}  // namespace system_test
