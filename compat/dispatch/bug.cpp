#include "dispatch/bug.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace openxpc::dispatch {

void client_bug(const char* function, const char* text) {
  char line[512];
  // One write, so that lines of several threads do not mix.
  int length =
      std::snprintf(line, sizeof line, "BUG IN CLIENT OF LIBDISPATCH: %s: %s\n", function, text);
  if (length > static_cast<int>(sizeof line) - 1) length = sizeof line - 1;
  if (length > 0) (void)!::write(STDERR_FILENO, line, static_cast<size_t>(length));
  std::abort();
}

}  // namespace openxpc::dispatch
