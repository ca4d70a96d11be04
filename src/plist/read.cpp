#include "plist/read.hpp"

#include "plist/number.hpp"

namespace openxpc::plist {

bool looks_binary(base::bytes input) noexcept { return base::as_text(input).starts_with("bplist"); }

std::optional<fault> read_any(base::bytes input, node& out, const limits& most) {
  if (looks_binary(input)) return read_binary(input, out, most);
  std::string_view text = base::as_text(input);
  std::string_view start = text.substr(0, 4096);
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  // UTF-16 with a byte order mark is XML's; JSON between programs is UTF-8 (RFC 8259, 8.1).
  bool wide = start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff");
  start = trimmed(start);
  if (start.empty() && text.size() <= 4096)
    return fault{{0, 1, 1}, "empty: expected a property list or JSON"};
  if (wide || start.starts_with('<')) return read_xml(text, out, most);
  return read_json(text, out, most);
}

}  // namespace openxpc::plist
