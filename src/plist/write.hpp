#pragma once

#include "plist/node.hpp"

#include <optional>
#include <string>

namespace openxpc::plist {

// Each writer turns a whole tree into text. Returns nothing, or what has no form in that notation;
// `at` of that fault means nothing, its text names the path. Trees are at most as deep as
// limits::depth.

[[nodiscard]] std::optional<fault> write_xml(const node& root, std::string& out);
[[nodiscard]] std::optional<fault> write_binary(const node& root, std::string& out);

enum class layout : bool { compact, pretty };
/// JSON for people: what JSON lacks becomes a string. Text that is not Unicode is written with
/// U+FFFD in place of the bad bytes.
std::string write_json(const node& root, layout shape);
/// JSON that spells out each type and is read back by read_typed_json().
[[nodiscard]] std::optional<fault> write_typed_json(const node& root, layout shape,
                                                    std::string& out);

}  // namespace openxpc::plist
