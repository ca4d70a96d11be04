#pragma once

#include "supervise/state.hpp"
#include "supervise/supervised.hpp"

#include <optional>
#include <string_view>

#include "handover/handover.hpp"

/// Pieces of what an xpcd gives to the one that it becomes; what is read is what was written.
namespace openxpc::supervise {

/// Kept for ever: what an older or newer xpcd means by a word does not depend on its enum.
const char* word_for(state at) noexcept;
std::optional<state> state_of(std::string_view word) noexcept;

object_ref pack(const file_identity& what);
file_identity unpack_identity(xpc_object_t from, std::string_view key);

object_ref pack(const domain::bound_name& bound, handover::outgoing& out);
domain::bound_name unpack_bound(xpc_object_t from, handover::incoming& in);

/// The executable that is held, or that a process runs.
object_ref pack(const program_image& image, handover::outgoing& out);
program_image unpack_image(xpc_object_t from, std::string_view key, handover::incoming& in);

object_ref pack(const job_run& run, handover::outgoing& out);
/// Nothing when it names no process, or there is no descriptor of it.
std::optional<job_run> unpack_run(xpc_object_t from, std::string_view key, asio::io_context& loop,
                                  handover::incoming& in);

object_ref pack(const run_result& last);
/// Nothing where there is none under the key.
std::optional<run_result> unpack_end(xpc_object_t from, std::string_view key);

/// A job that no property list describes stands under this key; its part there, lent, nullptr for
/// other jobs. One that runs as another user than xpcd has a key of its own, so that an xpcd which
/// does not know of such refuses to take it over rather than running it as itself.
const char* private_key(const job::process_setup& setup);
xpc_object_t private_part(xpc_object_t from);
/// How the process of such a job is set up. Errors (bad_input): it is not said as whom it runs.
void pack_setup(const job::process_setup& setup, xpc_object_t into);
outcome<job::process_setup> unpack_setup(xpc_object_t from);

/// The moment under a key; base::never where there is none.
void set_instant(xpc_object_t into, std::string_view key, base::instant when);
base::instant get_instant(xpc_object_t from, std::string_view key);

}  // namespace openxpc::supervise
