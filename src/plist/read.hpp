#pragma once

#include "base/bytes.hpp"
#include "plist/limits.hpp"
#include "plist/node.hpp"

#include <optional>
#include <string_view>

namespace openxpc::plist {

// Each reader turns a whole text into a tree. Returns nothing, or why the text was refused, and
// then `out` is untouched. The input is trusted in nothing; time is near-linear in its size, memory
// bounded by `most`.

[[nodiscard]] std::optional<fault> read_xml(std::string_view text, node& out,
                                            const limits& most = {});
[[nodiscard]] std::optional<fault> read_binary(base::bytes list, node& out,
                                               const limits& most = {});
[[nodiscard]] std::optional<fault> read_json(std::string_view text, node& out,
                                             const limits& most = {});
/// Reads JSON and then the types that it spells out.
[[nodiscard]] std::optional<fault> read_typed_json(std::string_view text, node& out,
                                                   const limits& most = {});
/// Tells from the first bytes which of the first three it is.
[[nodiscard]] std::optional<fault> read_any(base::bytes input, node& out, const limits& most = {});

/// A binary property list, by its first bytes; the version is not looked at.
bool looks_binary(base::bytes input) noexcept;

}  // namespace openxpc::plist
