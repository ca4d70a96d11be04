#include <unistd.h>

#include <cstdio>

#include "dispatch/attribute.hpp"
#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/queue.hpp"

// Functions that take an object of more than one kind, or a block.

using namespace openxpc::dispatch;

namespace {

/// Null for a block; misuse by `caller` for null and for attributes.
object* object_unless_block(void* at, const char* caller) {
  auto handle = static_cast<dispatch_object_t>(at);
  object* found = unwrap(handle, caller);
  if (!found) wrong_kind(caller);
  // The constants unwrap to objects elsewhere; everything else is the very address.
  return static_cast<void*>(found) == at && block_abi::is_block(at) ? nullptr : found;
}

const char* name_of(kind what) noexcept {
  switch (what) {
    case kind::queue:
      return "queue";
    case kind::group:
      return "group";
    case kind::semaphore:
      return "semaphore";
    case kind::source:
      return "source";
    case kind::data:
      return "data";
  }
  return "object";
}

}  // namespace

intptr_t dispatch_wait(void* at, dispatch_time_t timeout) {
  object* what = object_unless_block(at, __func__);
  if (!what) return dispatch_block_wait(at, timeout);
  if (what->what() == kind::group)
    return dispatch_group_wait(static_cast<dispatch_group_t>(at), timeout);
  if (what->what() == kind::semaphore)
    return dispatch_semaphore_wait(static_cast<dispatch_semaphore_t>(at), timeout);
  wrong_kind(__func__);
}

void dispatch_notify(void* at, dispatch_queue_t where, dispatch_block_t notification) {
  object* what = object_unless_block(at, __func__);
  if (!what) return dispatch_block_notify(at, where, notification);
  if (what->what() != kind::group) wrong_kind(__func__);
  dispatch_group_notify(static_cast<dispatch_group_t>(at), where, notification);
}

void dispatch_cancel(void* at) {
  object* what = object_unless_block(at, __func__);
  if (!what) return dispatch_block_cancel(at);
  if (what->what() != kind::source) wrong_kind(__func__);
  dispatch_source_cancel(static_cast<dispatch_source_t>(at));
}

intptr_t dispatch_testcancel(void* at) {
  object* what = object_unless_block(at, __func__);
  if (!what) return dispatch_block_testcancel(at);
  if (what->what() != kind::source) wrong_kind(__func__);
  return dispatch_source_testcancel(static_cast<dispatch_source_t>(at));
}

void dispatch_set_qos_class_floor(dispatch_object_t handle, dispatch_qos_class_t qos_class,
                                  int relative_priority) {
  object* at = unwrap(handle, __func__);
  if (!at || (at->what() != kind::queue && at->what() != kind::source)) wrong_kind(__func__);
  if (!is_qos(qos_class) || relative_priority > 0 || relative_priority < QOS_MIN_RELATIVE_PRIORITY)
    client_bug(__func__, "there is no such service class or relative priority");
}

void dispatch_debugv(dispatch_object_t handle, const char* format, va_list arguments) {
  object* at = unwrap(handle, __func__);
  char message[512], line[768];
  (void)std::vsnprintf(message, sizeof message, format, arguments);
  const char* label = "";
  if (at && at->what() == kind::queue) label = static_cast<queue*>(at)->label().c_str();
  int length = std::snprintf(line, sizeof line, "libdispatch: %s %p%s%s: %s\n",
                             at ? name_of(at->what()) : "attribute", static_cast<void*>(handle),
                             *label ? " " : "", label, message);
  // One write, so that lines of several threads do not mix.
  if (length > static_cast<int>(sizeof line) - 1) length = sizeof line - 1;
  if (length > 0) (void)!::write(STDERR_FILENO, line, static_cast<size_t>(length));
}

void dispatch_debug(dispatch_object_t handle, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  dispatch_debugv(handle, format, arguments);
  va_end(arguments);
}
