#ifndef XPC_PEER_REQUIREMENT_H
#define XPC_PEER_REQUIREMENT_H

/// What must be true of the program at the other end, as an object that any number of connections,
/// sessions and listeners may share. Source compatible with Apple's header of this name; manual
/// page xpc_peer_requirement_create_team_identity(3).
///
/// Linux: no requirement can be judged yet. Each is checked for being one, and then no peer meets
/// it: a connection or session that it is set on ends, a listener refuses everybody.
/// Threads: any function from any thread; requirements are immutable (rule 160).

#include <xpc/base.h>
#include <xpc/xpc.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

#define XPC_TYPE_PEER_REQUIREMENT (&_xpc_type_peer_requirement)
XPC_EXPORT XPC_TYPE(_xpc_type_peer_requirement);

// Each returns an owned requirement, or NULL with *error_out set to an owned error (not touched
// otherwise; it may be NULL) for arguments that make none. Strings and dictionaries are copied
// (rule 161).

/// The peer has the entitlement. Errors: an empty name, one that is not UTF-8.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT
    xpc_peer_requirement_t _Nullable xpc_peer_requirement_create_entitlement_exists(
        const char* entitlement, xpc_rich_error_t _Nullable* _Nullable error_out);
/// The entitlement has this value. Errors: also a value that is neither bool, string nor int64
/// (rule 162).
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT
    xpc_peer_requirement_t _Nullable xpc_peer_requirement_create_entitlement_matches_value(
        const char* entitlement, xpc_object_t value,
        xpc_rich_error_t _Nullable* _Nullable error_out);
/// The peer is signed by the team that signed this program (rule 163). @param signing_identifier
/// NULL: any of its programs. Errors: an empty identifier, one that is not UTF-8.
XPC_EXPORT XPC_WARN_RESULT
    xpc_peer_requirement_t _Nullable xpc_peer_requirement_create_team_identity(
        const char* _Nullable signing_identifier, xpc_rich_error_t _Nullable* _Nullable error_out);
/// The peer is part of the operating system (rules 163, 166). The rest as above.
XPC_EXPORT XPC_WARN_RESULT
    xpc_peer_requirement_t _Nullable xpc_peer_requirement_create_platform_identity(
        const char* _Nullable signing_identifier, xpc_rich_error_t _Nullable* _Nullable error_out);
/// The peer matches a lightweight code requirement: a dictionary of conditions and operators (rule
/// 164). Errors: what is no dictionary, or empty.
XPC_EXPORT XPC_NONNULL1 XPC_WARN_RESULT
    xpc_peer_requirement_t _Nullable xpc_peer_requirement_create_lwcr(
        xpc_object_t lwcr, xpc_rich_error_t _Nullable* _Nullable error_out);

/// Whether the sender of this received message meets the requirement (rule 165). @return false,
/// with *error_out set to an owned error that says why, also when it cannot be judged. A message
/// that was not received is misuse.
XPC_EXPORT XPC_NONNULL1 XPC_NONNULL2 XPC_WARN_RESULT bool
xpc_peer_requirement_match_received_message(xpc_peer_requirement_t requirement,
                                            xpc_object_t message,
                                            xpc_rich_error_t _Nullable* _Nullable error_out);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
