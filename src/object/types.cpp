#include "object/types.hpp"

#include <iterator>

// Compilers may fold a constant but never its address: every use of these goes through the global
// offset table, so that all parts of a process see the one copy that the dynamic linker chose.
extern "C" {
constinit const _xpc_type_s _xpc_type_null{"null", OPENXPC_TYPE_NULL, 0, {}};
constinit const _xpc_type_s _xpc_type_bool{"bool", OPENXPC_TYPE_BOOL, 0, {}};
constinit const _xpc_type_s _xpc_type_int64{"int64", OPENXPC_TYPE_INT64, 0, {}};
constinit const _xpc_type_s _xpc_type_uint64{"uint64", OPENXPC_TYPE_UINT64, 0, {}};
constinit const _xpc_type_s _xpc_type_double{"double", OPENXPC_TYPE_DOUBLE, 0, {}};
constinit const _xpc_type_s _xpc_type_date{"date", OPENXPC_TYPE_DATE, 0, {}};
constinit const _xpc_type_s _xpc_type_data{"data", OPENXPC_TYPE_DATA, 0, {}};
constinit const _xpc_type_s _xpc_type_string{"string", OPENXPC_TYPE_STRING, 0, {}};
constinit const _xpc_type_s _xpc_type_uuid{"uuid", OPENXPC_TYPE_UUID, 0, {}};
constinit const _xpc_type_s _xpc_type_fd{"fd", OPENXPC_TYPE_FD, 0, {}};
constinit const _xpc_type_s _xpc_type_shmem{"shmem", OPENXPC_TYPE_SHMEM, 0, {}};
constinit const _xpc_type_s _xpc_type_array{"array", OPENXPC_TYPE_ARRAY, 0, {}};
constinit const _xpc_type_s _xpc_type_dictionary{"dictionary", OPENXPC_TYPE_DICTIONARY, 0, {}};
constinit const _xpc_type_s _xpc_type_error{"error", OPENXPC_TYPE_ERROR, 0, {}};
constinit const _xpc_type_s _xpc_type_rich_error{"rich error", OPENXPC_TYPE_RICH_ERROR, 0, {}};
constinit const _xpc_type_s _xpc_type_endpoint{"endpoint", OPENXPC_TYPE_ENDPOINT, 0, {}};
constinit const _xpc_type_s _xpc_type_connection{"connection", OPENXPC_TYPE_CONNECTION, 0, {}};
constinit const _xpc_type_s _xpc_type_session{"session", OPENXPC_TYPE_SESSION, 0, {}};
constinit const _xpc_type_s _xpc_type_listener{"listener", OPENXPC_TYPE_LISTENER, 0, {}};
constinit const _xpc_type_s _xpc_type_activity{"activity", OPENXPC_TYPE_ACTIVITY, 0, {}};
constinit const _xpc_type_s _xpc_type_peer_requirement{
    "peer requirement", OPENXPC_TYPE_PEER_REQUIREMENT, 0, {}};
constinit const _xpc_type_s _xpc_type_file_transfer{
    "file transfer", OPENXPC_TYPE_FILE_TRANSFER, 0, {}};
}

namespace openxpc::object {

const _xpc_type_s* type_of(kind what) noexcept {
  static const _xpc_type_s* const all[] = {nullptr,
                                           &_xpc_type_null,
                                           &_xpc_type_bool,
                                           &_xpc_type_int64,
                                           &_xpc_type_uint64,
                                           &_xpc_type_double,
                                           &_xpc_type_date,
                                           &_xpc_type_data,
                                           &_xpc_type_string,
                                           &_xpc_type_uuid,
                                           &_xpc_type_fd,
                                           &_xpc_type_shmem,
                                           &_xpc_type_array,
                                           &_xpc_type_dictionary,
                                           &_xpc_type_error,
                                           &_xpc_type_rich_error,
                                           &_xpc_type_endpoint,
                                           &_xpc_type_connection,
                                           &_xpc_type_session,
                                           &_xpc_type_listener,
                                           &_xpc_type_activity,
                                           &_xpc_type_peer_requirement,
                                           &_xpc_type_file_transfer};
  auto index = static_cast<std::size_t>(what);
  return index < std::size(all) ? all[index] : nullptr;
}

const char* name_of(kind what) noexcept {
  const _xpc_type_s* type = type_of(what);
  return type ? type->name : "none";
}

}  // namespace openxpc::object
