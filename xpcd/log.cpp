#include "log.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace openxpc {

bool is_journal_stream(const char* stream, int borrowed_fd) {
  struct stat status;
  if (stream == nullptr || ::fstat(borrowed_fd, &status) < 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

void log_line(weight how, std::string_view text) {
  static const bool to_journal = is_journal_stream(std::getenv("JOURNAL_STREAM"), 2);
  const int size = static_cast<int>(text.size());
  // One call: lines of other processes may come between two.
  if (to_journal) {
    std::fprintf(stderr, "<%d>xpcd: %.*s\n", static_cast<int>(how), size, text.data());
  } else {
    std::fprintf(stderr, "xpcd: %.*s\n", size, text.data());
  }
}

}  // namespace openxpc
