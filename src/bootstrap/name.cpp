#include "bootstrap/name.hpp"

#include <string>

namespace openxpc::bootstrap {
namespace {

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

connection::error_ref wrong(std::string_view name, const std::string& what) {
  std::string shown(name.substr(0, longest_name_bytes));
  return connection::make_error(
      OPENXPC_ERROR_INVALID_ARGUMENT, "\"" + shown + "\" is no service name: " + what,
      "use 1 to 80 of the characters A-Z a-z 0-9 . _ - and no dot in front");
}

}  // namespace

connection::error_ref check_name(std::string_view name) {
  if (name.empty()) return wrong(name, "it is empty");
  if (name.size() > longest_name_bytes)
    return wrong(name, "it has " + std::to_string(name.size()) + " bytes");
  if (name.front() == '.') return wrong(name, "it starts with a dot");
  for (std::size_t at = 0; at < name.size(); ++at)
    if (!allowed(name[at]))
      return wrong(name, "the character at position " + std::to_string(at + 1));
  return nullptr;
}

}  // namespace openxpc::bootstrap
