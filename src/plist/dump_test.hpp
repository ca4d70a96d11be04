#pragma once

// For tests: a tree as one short line, so that a test is a table of texts. int64 as 5, uint64 as
// 5u, double as 1.5, string as 'x', data as <00ff>, date as @nanoseconds, uuid as #digits.

#include "plist/bytes_text.hpp"
#include "plist/node.hpp"
#include "plist/number.hpp"

#include <string>

namespace openxpc::plist {

inline std::string dump(const node& value) {
  std::string said;
  switch (value.what) {
    case kind::null:
      return "null";
    case kind::boolean:
      return value.boolean ? "true" : "false";
    case kind::integer:
      return std::to_string(value.integer);
    case kind::natural:
      return std::to_string(value.natural) + "u";
    case kind::real:
      return format_real(value.real);
    case kind::date:
      return "@" + std::to_string(value.integer);
    case kind::data:
      return "<" + write_hex(value.text) + ">";
    case kind::string:
      return "'" + value.text + "'";
    case kind::uuid:
      return "#" + write_hex(value.text);
    case kind::array:
      for (const node& child : value.children) said += (said.empty() ? "" : ",") + dump(child);
      return "[" + said + "]";
    case kind::dictionary:
      for (const node& child : value.children)
        said += (said.empty() ? "" : ",") + child.key + ":" + dump(child);
      return "{" + said + "}";
    case kind::file_transfer:
      return "transfer " + std::to_string(value.natural) + " " + dump(value.children.at(0));
    case kind::other:
      break;
  }
  return "?" + value.text;
}

}  // namespace openxpc::plist
