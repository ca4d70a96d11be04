#include <limits.h>
#include <mach-o/dyld.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

int _NSGetExecutablePath(char* buffer, uint32_t* size) {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length < 0 || length == PATH_MAX) return -1;
  const auto needed = static_cast<std::uint32_t>(length) + 1;
  if (needed > *size) {
    *size = needed;
    return -1;
  }
  std::memcpy(buffer, path, needed - 1);
  buffer[needed - 1] = '\0';
  return 0;
}
