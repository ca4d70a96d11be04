// What an error says to a person, and to the shell.

#include <xpc/openxpc/object.h>
#include <xpc/openxpc/runtime.h>

#include <sys/wait.h>
#include <sysexits.h>

#include <cstring>
#include <string>

namespace {

std::string first_line(xpc_rich_error_t error) {
  std::string text = openxpc_error_get_message(error);
  auto code = openxpc_error_get_code(error);
  if (text.empty()) text = openxpc_error_code_name(code);
  std::string_view domain = openxpc_error_get_domain(error);
  if (code == OPENXPC_ERROR_REMOTE && !domain.empty()) {
    text += " (" + std::string(domain);
    if (auto number = openxpc_error_get_number(error)) text += " error " + std::to_string(number);
    text += ")";
  } else {
    text += std::string(" (") + openxpc_error_code_name(code) + ")";
  }
  return text;
}

std::string fate(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    const char* name = sigdescr_np(WTERMSIG(status));
    return "was ended by signal " + std::to_string(WTERMSIG(status)) +
           (name ? std::string(" (") + name + ")" : "") +
           (WCOREDUMP(status) ? ", core dumped" : "");
  }
  return "ended with wait status " + std::to_string(status);
}

}  // namespace

char* openxpc_error_copy_explanation(xpc_rich_error_t error) {
  std::string text = first_line(error);
  int status;
  if (openxpc_error_get_exit_status(error, &status))
    text += "\n  the other process " + fate(status);
  auto flags = openxpc_error_get_flags(error);
  if (flags & OPENXPC_ERROR_NOT_ACCEPTED)
    text += "\n  the request was not accepted: repeating it cannot do it twice";
  if (flags & OPENXPC_ERROR_OUTCOME_UNKNOWN)
    text += "\n  the request may or may not have been carried out";
  for (xpc_rich_error_t cause = openxpc_error_get_cause(error); cause;
       cause = openxpc_error_get_cause(cause))
    text += "\n  because: " + first_line(cause);
  std::string_view remedy = openxpc_error_get_remedy(error);
  if (!remedy.empty()) text += "\n  try: " + std::string(remedy);
  return ::strdup(text.c_str());
}

int openxpc_error_get_exit_code(xpc_rich_error_t error) {
  switch (openxpc_error_get_code(error)) {
    case OPENXPC_ERROR_NOT_FOUND:
    case OPENXPC_ERROR_NO_DOMAIN:
    case OPENXPC_ERROR_LAUNCH_FAILED:
      return EX_UNAVAILABLE;
    case OPENXPC_ERROR_DENIED:
    case OPENXPC_ERROR_PEER_REFUSED:
    case OPENXPC_ERROR_REFUSED:
      return EX_NOPERM;
    case OPENXPC_ERROR_INTERRUPTED:
    case OPENXPC_ERROR_TIMED_OUT:
    case OPENXPC_ERROR_WOULD_BLOCK:
    case OPENXPC_ERROR_TOO_MANY:
      return EX_TEMPFAIL;
    case OPENXPC_ERROR_INCOMPATIBLE:
    case OPENXPC_ERROR_UNKNOWN_METHOD:
    case OPENXPC_ERROR_NO_REPLY:
      return EX_PROTOCOL;
    case OPENXPC_ERROR_MISSING_KEY:
    case OPENXPC_ERROR_WRONG_TYPE:
    case OPENXPC_ERROR_OUT_OF_RANGE:
    case OPENXPC_ERROR_MALFORMED:
    case OPENXPC_ERROR_TOO_LARGE:
      return EX_DATAERR;
    case OPENXPC_ERROR_INVALID_ARGUMENT:
      return EX_USAGE;
    case OPENXPC_ERROR_NO_RESOURCES:
    case OPENXPC_ERROR_UNSUPPORTED:
      return EX_OSERR;
    default:
      return EX_SOFTWARE;
  }
}
