#include "lines.hpp"

#include <cstdio>
#include <ctime>

namespace fswatch {
namespace {

std::string time_of(std::chrono::system_clock::time_point at) {
  auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40], whole[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(whole, sizeof whole, "%s.%03dZ", text, static_cast<int>(milliseconds % 1000));
  return whole;
}

/// A file's name may hold anything; what would move the cursor or break JSON is written as an
/// escape.
std::string escaped(const std::string& text, bool json) {
  std::string out;
  for (unsigned char c : text) {
    char code[8];
    if (c < 0x20 || c == 0x7f) {
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else if (c == '\\' || (json && c == '"')) {
      out += '\\';
      out += static_cast<char>(c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

}  // namespace

std::string text_line(const event& what) {
  std::string line = time_of(what.at) + " " + std::string(name_of(what.what)) + " ";
  if (what.what == kind::overflow)
    return line + "(the kernel dropped events; looking at the trees again)";
  if (!what.from.empty()) line += escaped(what.from, false) + " -> ";
  return line + escaped(what.path, false) + (what.directory ? "/" : "");
}

std::string json_line(const event& what) {
  std::string line = "{\"id\": " + std::to_string(what.id) + ", \"at\": \"" + time_of(what.at) +
                     "\", \"kind\": \"" + std::string(name_of(what.what)) + "\", \"path\": \"" +
                     escaped(what.path, true) + "\"";
  if (!what.from.empty()) line += ", \"from\": \"" + escaped(what.from, true) + "\"";
  return line + ", \"directory\": " + (what.directory ? "true" : "false") + "}";
}

}  // namespace fswatch
