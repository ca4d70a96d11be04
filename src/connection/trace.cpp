#include "connection/trace.hpp"

#include "base/clock.hpp"
#include "connection/conversation.hpp"
#include "object/describe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace openxpc::connection::trace {
namespace {

/// The descriptor to print to, or -1; decided at the first message.
int destination() {
  static const int chosen = [] {
    const char* value = ::secure_getenv("OPENXPC_TRACE");
    if (!value || !*value || std::string_view(value) == "0") return -1;
    if (*value != '/') return STDERR_FILENO;
    int file = ::open(value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return file >= 0 ? file : STDERR_FILENO;
  }();
  return chosen;
}

}  // namespace

void message(const conversation& over, direction which, channel::kind what,
             const object::dictionary& content) {
  int to = destination();
  if (to < 0) [[likely]]
    return;
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                 base::boot_clock::now().time_since_epoch())
                 .count();
  char head[160];
  std::snprintf(head, sizeof head, "xpc[%d] %lld.%06lld %s pid %d %s ", ::getpid(),
                static_cast<long long>(now / 1'000'000), static_cast<long long>(now % 1'000'000),
                which == direction::out ? "to" : "from", over.who().pid, channel::name_of(what));
  std::string line = head + object::describe(content) + '\n';
  (void)!::write(to, line.data(),
                 line.size());  // A trace that cannot be written must not disturb the traced.
}

}  // namespace openxpc::connection::trace
