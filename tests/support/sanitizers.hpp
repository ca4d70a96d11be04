#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xpc_testing {

/// Campaigns are shorter then: everything takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool has_sanitizer = true;
#else
inline constexpr bool has_sanitizer = false;
#endif

/// What a sanitizer says in the processes that a test starts, whether or not somebody looks at
/// their exit status. The test program's own reports end it, or make it exit with another status.
///
/// From now on such processes, and theirs, write their reports into files beside `directory`.
void collect_reports(const std::string& directory);

/// The same for a role that a service manager started, and which has not inherited what
/// collect_reports() said in the environment.
void collect_reports_of_role();

/// Looks for a report in what a process has said.
void look_for_report(std::string_view said);

/// All reports since collect_reports(), each as one text: found by look_for_report(), beside
/// `directory`, and in files in it, where services keep what they print.
std::vector<std::string> take_reports(const std::string& directory);

}  // namespace xpc_testing
