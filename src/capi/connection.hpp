#pragma once

#include "capi/handle.hpp"
#include "connection/handle.hpp"
#include "connection/listener.hpp"

namespace openxpc::capi {

/// The connection behind a handle, whatever its role. Anything else is misuse by `function`.
connection::handle& need_connection(xpc_connection_t handle, const char* function);
/// The same, but a listener is misuse too.
connection::peer_object& need_peer_connection(xpc_connection_t handle, const char* function);
object::dictionary& need_message(xpc_object_t message, const char* function);

/// Limits of conversations of Apple's API, whose send can neither block nor report (rule 80).
channel::settings apple_limits();

/// A reply made by xpc_dictionary_create_reply() goes back to whoever asked; true if `message` is
/// one.
bool send_if_reply(object::dictionary& message, const char* function);

}  // namespace openxpc::capi
