#pragma once

#include "base/function.hpp"
#include "connection/handle.hpp"
#include "connection/listener.hpp"

#include <xpc/xpc.h>

namespace openxpc::capi {

/// What an event handler of the connection API is called with.
using event_function = base::function<void(xpc_object_t)>;

/// The XPC_ERROR_* object that an error shows as to programs of the connection API.
xpc_object_t event_of(const connection::error_ref& why);

/// A conversation's events as one function of one object. @param ends_by_interruption  made from an
/// endpoint: the loss of the other side is INTERRUPTED, then INVALID (rule 339).
base::ref<connection::handlers> handlers_of(event_function told, bool ends_by_interruption);
/// The same for listeners, whose events are peers (rule 118).
base::ref<connection::listener::handlers> listener_handlers_of(event_function told);

/// Ties a received message to where it came from and to the right to answer it. @return false when
/// the program has let go of the conversation meanwhile: then the message is for nobody.
bool attach_context(connection::incoming& what);

}  // namespace openxpc::capi
