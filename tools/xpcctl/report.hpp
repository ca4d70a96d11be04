#pragma once

#include <xpc/result.hpp>

namespace xpcctl {

/// Says on standard error why something failed. Malformed input is told in the words of the failure
/// alone ("offset 12: ...", "a.json:3:7: ..."), so that scripts and editors can read the place;
/// anything else is explained in full.
/// @return the exit status that fits
int report_input(const xpc::failure& why);

/// The same for a failure to write what the input said: invalid_argument, too, is a mistake in the
/// input, EX_DATAERR.
int report_content(const xpc::failure& why);

}  // namespace xpcctl
