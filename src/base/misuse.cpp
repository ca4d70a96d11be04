#include "base/misuse.hpp"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace openxpc::base {
namespace {

char text[512];
bool filled = false;

[[noreturn]] void end_process() {
  filled = true;
  // One write: lines of several threads or processes must not mix.
  char line[sizeof text + 1];
  int length = std::snprintf(line, sizeof line, "%s\n", text);
  if (length > 0) (void)!::write(STDERR_FILENO, line, static_cast<size_t>(length));
  std::abort();
}

}  // namespace

void misuse(const char* function, const char* format, ...) {
  int used = std::snprintf(text, sizeof text, "XPC API Misuse: %s: ", function);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text + used, sizeof text - static_cast<size_t>(used), format, arguments);
  va_end(arguments);
  end_process();
}

void bug(const char* format, ...) {
  int used = std::snprintf(text, sizeof text, "Bug in libxpc: ");
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text + used, sizeof text - static_cast<size_t>(used), format, arguments);
  va_end(arguments);
  end_process();
}

const char* misuse_text() noexcept { return filled ? text : nullptr; }

}  // namespace openxpc::base
