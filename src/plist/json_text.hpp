#pragma once

#include "plist/write.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace openxpc::plist {

/// Puts JSON together: commas, line ends and indentation, quoting. The caller sees to it that names
/// and values alternate.
class json_text {
 public:
  json_text(std::string& out, layout shape) : out_(out), pretty_(shape == layout::pretty) {}

  void begin(char bracket);
  /// What stands directly in this bracket stays on one line, whatever the layout.
  void begin_tight(char bracket);
  void end(char bracket);
  void name(std::string_view text);
  void string(std::string_view text);
  /// A number or a literal.
  void raw(std::string_view text);

 private:
  void open(char bracket, bool tight);
  void before_value();
  void new_line();
  void quote(std::string_view text);

  std::string& out_;
  bool pretty_;
  std::vector<bool> open_;  // of each open bracket: tight?
  std::size_t indent_ = 0;  // how many of them are not
  bool first_ = true;       // nothing stands in the innermost one yet
  bool named_ = false;      // a name waits for its value
};

}  // namespace openxpc::plist
