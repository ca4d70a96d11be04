#pragma once

#include <chrono>
#include <functional>
#include <string_view>

namespace xpc_testing {

/// How long a wait of the harness may take before it counts as a failure: 30 s, or
/// OPENXPC_TEST_PATIENCE seconds. It is never how long a passing test takes, so slow machines and
/// sanitizers may set it high.
std::chrono::milliseconds patience();

/// For states that announce themselves by no event (a process table, a memory reading): looks again
/// until `holds` or patience ends, which throws std::runtime_error naming `what`. Where there is an
/// event wait for that instead.
void wait_until(std::string_view what, const std::function<bool()>& holds);

}  // namespace xpc_testing
