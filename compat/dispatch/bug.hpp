#pragma once

namespace openxpc::dispatch {

/// Ends the process on a mistake of the program: "BUG IN CLIENT OF LIBDISPATCH: function: text" on
/// standard error, then abort.
[[noreturn]] void client_bug(const char* function, const char* text);

}  // namespace openxpc::dispatch
