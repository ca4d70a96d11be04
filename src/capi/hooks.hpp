#pragma once

#include "object/endpoint.hpp"

namespace openxpc::capi {

/// A new endpoint of a listening connection. Misuse, in the name of `function`, for anything else.
base::ref<object::endpoint> make_endpoint(object::object& connection, const char* function);
/// A new inactive connection, distinct on every call (rule 43); owned by the caller.
base::ref<object::object> make_connection(object::endpoint& to);

}  // namespace openxpc::capi
