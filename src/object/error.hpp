#pragma once

#include "object/item.hpp"
#include "object/string.hpp"

#include <string_view>

/// An XPC_ERROR_* object: a constant that reads like a dictionary with one entry (rule 28). Its
/// address is what programs compare, its size is frozen (rule 302).
struct _xpc_dictionary_s final : openxpc::object::object {
  static constexpr openxpc_type_t its_kind = OPENXPC_TYPE_ERROR;
  constexpr explicit _xpc_dictionary_s(openxpc::object::string* text) noexcept
      : object(OPENXPC_TYPE_ERROR, lifetime::immortal), description(text) {}
  void describe(openxpc::object::describer& out) const override;

  openxpc::object::string* description;
  void* reserved[12] = {};

 private:
  void destroy() noexcept override {}
};
static_assert(sizeof(_xpc_dictionary_s) == 128, "part of the ABI");

extern "C" {
extern OPENXPC_VISIBLE const _xpc_dictionary_s _xpc_error_connection_interrupted,
    _xpc_error_connection_invalid, _xpc_error_termination_imminent,
    _xpc_error_peer_code_signing_requirement;
extern OPENXPC_VISIBLE const char* const _xpc_error_key_description;
extern OPENXPC_VISIBLE const char* const _xpc_event_key_name;
}

namespace openxpc::object {

using error = _xpc_dictionary_s;

inline constexpr std::string_view error_description_key = "XPCErrorDescription";

/// The error objects as handles, e.g. handle_of(_xpc_error_connection_invalid).
inline object* handle_of(const error& which) noexcept { return const_cast<error*>(&which); }

}  // namespace openxpc::object
