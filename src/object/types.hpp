#pragma once

#include <xpc/openxpc/types.h>

#include <cstdint>

/// A type descriptor. The address is what counts; programs bind to these symbols by name, and a
/// program that is not position-independent gets a copy of them in its own memory: their size can
/// never change (rule 302).
struct _xpc_type_s {
  const char* name;
  std::uint32_t kind;  // openxpc_type_t
  std::uint32_t reserved_word;
  void* reserved[6];
};
static_assert(sizeof(_xpc_type_s) == 64, "part of the ABI");

extern "C" {
extern OPENXPC_VISIBLE const _xpc_type_s _xpc_type_null, _xpc_type_bool, _xpc_type_int64,
    _xpc_type_uint64, _xpc_type_double, _xpc_type_date, _xpc_type_data, _xpc_type_string,
    _xpc_type_uuid, _xpc_type_fd, _xpc_type_shmem, _xpc_type_array, _xpc_type_dictionary,
    _xpc_type_error, _xpc_type_rich_error, _xpc_type_endpoint, _xpc_type_connection,
    _xpc_type_session, _xpc_type_listener, _xpc_type_activity, _xpc_type_peer_requirement,
    _xpc_type_file_transfer;
}

namespace openxpc::object {

/// What kind of object it is; the numbers are those of the public header.
using kind = openxpc_type_t;

/// The descriptor of a kind; null for OPENXPC_TYPE_NONE and numbers that are none.
const _xpc_type_s* type_of(kind what) noexcept;
/// "int64", "string" ...; "none" where there is no such kind. Static.
const char* name_of(kind what) noexcept;

}  // namespace openxpc::object
