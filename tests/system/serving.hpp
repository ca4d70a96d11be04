#pragma once

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <unistd.h>

#include <future>
#include <string>

/// What services of the tests have in common.
namespace system_test {

/// Writes the id of a request into a book, and only then answers with the message: whoever got the
/// answer finds the line.
inline void note_and_answer(int borrowed_book, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  const std::string line = std::to_string(::xpc_dictionary_get_int64(message, "id")) + "\n";
  (void)!::write(borrowed_book, line.data(), line.size());
  xpc_object_t reply = ::xpc_copy(message);
  ::openxpc_request_reply(request, reply);
  ::xpc_release(reply);
}

/// Serves until the process is asked to end; what was accepted is handled and answered before this
/// returns.
inline void serve_to_the_end(xpc_listener_t listener) {
  ::openxpc_wait_for_termination();
  std::promise<void> closed;
  ::openxpc_listener_close(listener, &closed,
                           [](void* all) { static_cast<std::promise<void>*>(all)->set_value(); });
  closed.get_future().wait();
}

}  // namespace system_test
