#pragma once

namespace openxpc::base {

/// Ends the process on a mistake of the local program: prints "XPC API Misuse: function: text" to
/// standard error, keeps the text for xpc_debugger_api_misuse_info(), and aborts. Never called
/// because of anything a peer sent.
[[noreturn]] void misuse(const char* function, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
/// The same for a broken invariant of ours: "Bug in libxpc: ...".
[[noreturn]] void bug(const char* format, ...) __attribute__((format(printf, 1, 2)));
/// The text of the last misuse, or null.
const char* misuse_text() noexcept;

}  // namespace openxpc::base
