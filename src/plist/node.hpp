#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openxpc::plist {

/// Where something stands. Text has a line and a column, both from 1, the column in characters;
/// bytes have an offset and line 0.
struct place {
  std::size_t offset = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// Why a text was refused, and where.
struct fault {
  place at;
  std::string text;
};

/// "NAME:LINE:COLUMN: text" for text, "NAME: offset N: text" for bytes; an empty name is left out.
std::string describe(const fault& what, std::string_view name);

enum class kind : std::uint8_t {
  null,
  boolean,
  integer,  ///< int64
  natural,  ///< uint64; readers use it only beyond int64
  real,
  date,  ///< nanoseconds since 1970, in `integer`
  data,
  string,
  uuid,  ///< 16 bytes in `text`
  array,
  dictionary,
  file_transfer,  ///< id in `natural`, the object is the only child
  other,          ///< exists only in this process (fd, endpoint, connection ...); `text` names it
};

/// One value of a tree, before it becomes an object or after it was one.
struct node {
  kind what = kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
  std::string text;            ///< string: UTF-8 without NUL; data and uuid: bytes; other: type
  std::string key;             ///< in a dictionary
  std::vector<node> children;  ///< of arrays and dictionaries, in order
  place at;                    ///< of the value
  place key_at;                ///< of the key
};

/// The type in words: "int64", "dictionary", "fd".
std::string_view type_of(const node& value) noexcept;

/// A key or text in quotes for a message: at most 64 bytes of it, control characters as \xNN.
std::string in_quotes(std::string_view text);

}  // namespace openxpc::plist
