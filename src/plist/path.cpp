#include "plist/path.hpp"

#include "plist/node.hpp"

namespace openxpc::plist {
namespace {

/// Keys of letters, digits, dashes and underscores stand as they are; others would be mistaken for
/// part of the path.
bool is_plain(std::string_view key) noexcept {
  for (char c : key) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_';
    if (!plain) return false;
  }
  return !key.empty() && key.size() <= 64;
}

}  // namespace

path::step::step(path& walked, std::string_view key)
    : walked_(walked), before_(walked.said_.size()) {
  if (!walked.said_.empty()) walked.said_ += '.';
  walked.said_ += is_plain(key) ? std::string(key) : in_quotes(key);
}

path::step::step(path& walked, std::size_t index) : walked_(walked), before_(walked.said_.size()) {
  walked.said_ += '[' + std::to_string(index) + ']';
}

}  // namespace openxpc::plist
