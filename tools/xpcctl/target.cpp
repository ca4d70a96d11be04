#include "target.hpp"

#include <xpc/openxpc/conversation.h>
#include <xpc/result.hpp>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "manager.hpp"

namespace xpcctl {
namespace {

struct target {
  std::string kind, number, label;  // kind: empty, system, user or pid
};

int complain(int status, const std::string& given, const char* reason) {
  std::fprintf(stderr, "xpcctl: %s: %s\n", given.c_str(), reason);
  return status;
}

bool is_number(const std::string& text) {
  unsigned read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  return error == std::errc() && end == text.data() + text.size();
}

/// Cuts off and returns what stands before the first slash.
std::string take_part(std::string* text) {
  const std::size_t slash = text->find('/');
  std::string part = text->substr(0, slash);
  text->erase(0, slash == std::string::npos ? slash : slash + 1);
  return part;
}

std::optional<target> parse(const std::string& given) {
  target result;
  std::string rest = given;
  const std::string first = take_part(&rest);
  if (first == "system") {
    result.kind = first;
    result.label = rest;
  } else if (given.find('/') == std::string::npos) {
    result.label = given;
  } else if (first == "user" || first == "gui" || first == "pid") {
    result.kind = first == "pid" ? first : "user";
    result.number = take_part(&rest);
    result.label = rest;
    if (!is_number(result.number)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (result.label.find('/') != std::string::npos) return std::nullopt;
  return result;
}

int use_domain(enum openxpc_domain_kind which, settings* here) {
  xpc_rich_error_t error = nullptr;
  std::unique_ptr<char, decltype(&std::free)> found(::openxpc_domain_copy_directory(which, &error),
                                                    &std::free);
  if (!found) return report_error(error);
  here->domain = found.get();
  return EX_OK;
}

/// Where another user's domain is: with a login session, or made by the system's xpcd.
std::string directory_of_user(const std::string& uid) {
  const std::string session = "/run/user/" + uid + "/xpc";
  return ::access(session.c_str(), F_OK) == 0 ? session : "/run/xpc/user/" + uid;
}

/// Its services are run by the service manager of its user.
int use_process(const std::string& given, const std::string& pid, settings* here) {
  here->application = std::strtoll(pid.c_str(), nullptr, 10);
  struct stat process;
  if (::stat(("/proc/" + pid).c_str(), &process) != 0) {
    return complain(EX_UNAVAILABLE, given, "there is no such process");
  }
  if (!here->domain.empty() || process.st_uid == ::geteuid()) return EX_OK;
  if (process.st_uid == 0) return use_domain(OPENXPC_DOMAIN_SYSTEM, here);
  here->domain = directory_of_user(std::to_string(process.st_uid));
  return EX_OK;
}

}  // namespace

bool is_domain(const std::string& text) {
  const std::optional<target> parsed = parse(text);
  return parsed && !parsed->kind.empty() && parsed->label.empty();
}

int resolve(const std::string& given, settings* here, std::string* label) {
  const std::optional<target> parsed = parse(given);
  if (!parsed) {
    return complain(
        EX_USAGE, given,
        "is neither a label nor system/LABEL, user/UID/LABEL, pid/PID/NAME or the like");
  }
  *label = parsed->label;
  if (parsed->kind == "pid") return use_process(given, parsed->number, here);
  if (!here->domain.empty() || parsed->kind.empty()) return EX_OK;
  if (parsed->kind == "system") return use_domain(OPENXPC_DOMAIN_SYSTEM, here);
  if (parsed->number == std::to_string(::geteuid())) return use_domain(OPENXPC_DOMAIN_USER, here);
  here->domain = directory_of_user(parsed->number);
  return EX_OK;
}

int resolve_job(const std::string& given, settings* here, std::string* label) {
  if (int wrong = resolve(given, here, label)) return wrong;
  return label->empty() ? complain(EX_USAGE, given, "names a domain and no job in it") : EX_OK;
}

int resolve_domain(const std::string& given, settings* here, std::string* label) {
  if (int wrong = resolve(given, here, label)) return wrong;
  if (here->application == 0) return EX_OK;
  return complain(EX_USAGE, given, "a process has the services of its bundles and no others");
}

void address(const object_ref& order, const settings& here, const std::string& label) {
  if (!label.empty()) set(order, "label", label);
  if (here.application != 0) {
    ::xpc_dictionary_set_int64(order.get(), "application", here.application);
  }
}

}  // namespace xpcctl
