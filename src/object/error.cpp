#include "object/error.hpp"

#include "object/describe.hpp"

namespace {

using openxpc::object::string;

constinit string interrupted("Connection interrupted");
constinit string invalid("Connection invalid");
constinit string imminent("Process termination imminent");
constinit string requirement("Peer does not meet the code signing requirement");

}  // namespace

extern "C" {
constinit const _xpc_dictionary_s _xpc_error_connection_interrupted{&interrupted};
constinit const _xpc_dictionary_s _xpc_error_connection_invalid{&invalid};
constinit const _xpc_dictionary_s _xpc_error_termination_imminent{&imminent};
constinit const _xpc_dictionary_s _xpc_error_peer_code_signing_requirement{&requirement};
constinit const char* const _xpc_error_key_description = "XPCErrorDescription";
constinit const char* const _xpc_event_key_name = "XPCEventName";
}

void _xpc_dictionary_s::describe(openxpc::object::describer& out) const {
  out.text(" { count = 1, contents =\n");
  out.entry(openxpc::object::error_description_key, openxpc::object::item(description));
  out.close();
}
