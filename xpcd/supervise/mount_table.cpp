#include "supervise/mount_table.hpp"

#include <optional>

namespace openxpc::supervise {

namespace {

/// Cuts off and returns what stands before the first `end`.
std::string_view take_until(std::string_view* text, char end) {
  const std::size_t at = text->find(end);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return part;
}

/// Blanks, tabs, line ends and backslashes are written as three octal digits.
std::string unescaped(std::string_view text) {
  auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(text[at + 1]) &&
        is_octal(text[at + 2]) && is_octal(text[at + 3])) {
      result += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                  (text[at + 3] - '0'));
      at += 3;
    } else {
      result += text[at];
    }
  }
  return result;
}

/// The fields of proc(5): the fourth and fifth, and the type behind the lone dash.
std::optional<mounted> mounted_in(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view before = line.substr(0, dash), behind = line.substr(dash + 3);
  for (int skipped = 0; skipped < 3; ++skipped) take_until(&before, ' ');
  mounted result;
  result.root = unescaped(take_until(&before, ' '));
  result.point = unescaped(take_until(&before, ' '));
  result.type = take_until(&behind, ' ');
  return result;
}

}  // namespace

std::vector<mounted> mount_table(std::string_view mountinfo) {
  std::vector<mounted> result;
  while (!mountinfo.empty()) {
    if (auto one = mounted_in(take_until(&mountinfo, '\n'))) result.push_back(std::move(*one));
  }
  return result;
}

bool is_below(const std::string& path, const std::string& top) {
  return path.compare(0, top.size(), top) == 0 &&
         (path.size() == top.size() || path[top.size()] == '/');
}

}  // namespace openxpc::supervise
