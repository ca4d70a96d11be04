#include <os/log.h>
#include <syslog.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "platform/log_format.hpp"
#include "platform/log_sink.hpp"

struct os_log_s {
  std::string subsystem, category;
  os_log_s* next;
};

// The two constants are mere names: a program that is not position-independent may have copies.
struct os_log_s_name {
  char unused[16];
};
extern "C" {
extern __attribute__((visibility("default"))) os_log_s_name default_name asm("_os_log_default");
extern __attribute__((visibility("default"))) os_log_s_name disabled_name asm("_os_log_disabled");
os_log_s_name default_name{};
os_log_s_name disabled_name{};
}

namespace {

using namespace openxpc::platform;

std::mutex lock;
os_log_s* first = nullptr;  // logs live as long as the process

/// What the environment asks for, read once.
struct environment {
  environment() {
    const char* mode = ::secure_getenv("OS_ACTIVITY_MODE");
    const std::string_view word = mode ? mode : "";
    debug = word == "debug";
    quiet = word == "disable";
    const char* mirrored = ::secure_getenv("OS_ACTIVITY_DT_MODE");
    mirror = mirrored && *mirrored && std::string_view(mirrored) != "NO";
  }
  bool debug, quiet, mirror;
};
const environment& told() {
  static const environment read;
  return read;
}

int priority_of(os_log_type_t type) noexcept {
  switch (type) {
    case OS_LOG_TYPE_INFO:
      return LOG_INFO;
    case OS_LOG_TYPE_DEBUG:
      return LOG_DEBUG;
    case OS_LOG_TYPE_ERROR:
      return LOG_ERR;
    case OS_LOG_TYPE_FAULT:
      return LOG_CRIT;
    default:
      return LOG_NOTICE;
  }
}

}  // namespace

os_log_t os_log_create(const char* subsystem, const char* category) {
  std::lock_guard guard(lock);
  for (os_log_s* each = first; each; each = each->next)
    if (each->subsystem == subsystem && each->category == category) return each;
  first = new os_log_s{subsystem, category, first};
  return first;
}

bool os_log_type_enabled(os_log_t log, os_log_type_t type) {
  if (log == OS_LOG_DISABLED) return false;
  if (type == OS_LOG_TYPE_ERROR || type == OS_LOG_TYPE_FAULT) return true;
  if (told().quiet) return false;
  return type != OS_LOG_TYPE_DEBUG || told().debug;
}

void openxpc_os_log(os_log_t log, os_log_type_t type, const char* format, ...) {
  const int before = errno;
  if (!os_log_type_enabled(log, type)) return;
  message_text text;
  va_list arguments;
  va_start(arguments, format);
  format_message(text, format, arguments, before);
  va_end(arguments);
  const bool named = log != OS_LOG_DEFAULT;
  const log_message what{priority_of(type), named ? log->subsystem : std::string_view{},
                         named ? log->category : std::string_view{}, text.view()};
  if (told().mirror) print_to_stderr(what);
  if (!send_to_journal(journal_path, what)) send_to_syslog(what);
  errno = before;
}
