#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The text of /proc/self/mountinfo, taken apart.
namespace openxpc::supervise {

struct mounted {
  std::string root;   // what of its file system is seen there
  std::string point;  // where
  std::string type;
};

/// In the order of the text: a later one lies above an earlier one at the same point. Lines that
/// are none are left out.
std::vector<mounted> mount_table(std::string_view mountinfo);

/// Whether a path is `top` or lies below it. "/" is given as "".
bool is_below(const std::string& path, const std::string& top);

}  // namespace openxpc::supervise
