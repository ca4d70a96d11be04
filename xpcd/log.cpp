#include "log.hpp"

#include <cstdio>
#include <string>

#include "journal.hpp"

namespace openxpc {

namespace {

bool to_journal(weight how, std::string_view text, std::string_view label) {
  const std::string priority = std::to_string(static_cast<int>(how));
  std::vector<journal::field> fields{
      {"MESSAGE", text}, {"PRIORITY", priority}, {"SYSLOG_IDENTIFIER", "xpcd"}};
  if (!label.empty()) fields.emplace_back("OPENXPC_LABEL", label);
  return journal::send(fields);
}

}  // namespace

void log_line(weight how, std::string_view text, std::string_view label) {
  const int size = static_cast<int>(text.size());
  // One call: lines of other processes may come between two.
  if (!journal::is_in_use()) {
    std::fprintf(stderr, "xpcd: %.*s\n", size, text.data());
  } else if (!to_journal(how, text, label)) {
    std::fprintf(stderr, "<%d>xpcd: %.*s\n", static_cast<int>(how), size, text.data());
  }
}

}  // namespace openxpc
