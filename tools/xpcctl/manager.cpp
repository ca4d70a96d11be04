#include "manager.hpp"

#include <xpc/openxpc/plist.h>
#include <xpc/result.hpp>

#include <fcntl.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <thread>

#include "report.hpp"

namespace xpcctl {

namespace {

/// The socket file of the control interface in a domain's directory.
constexpr const char* control_name = "/.control";

xpc_rich_error_t make_error(openxpc_error_code_t code, const std::string& message,
                            const std::string& remedy = {}) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = code;
  parts.message = message.c_str();
  parts.remedy = remedy.empty() ? nullptr : remedy.c_str();
  return ::openxpc_error_create(&parts);
}

std::string directory_of(const settings& shared, xpc_rich_error_t* error) {
  if (!shared.domain.empty()) return shared.domain;
  std::unique_ptr<char, decltype(&std::free)> found(
      ::openxpc_domain_copy_directory(OPENXPC_DOMAIN_AUTOMATIC, error), &std::free);
  return found ? std::string(found.get()) : std::string();
}

bool may_connect(int borrowed_socket_file) {
  const std::string path = "/proc/self/fd/" + std::to_string(borrowed_socket_file);
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 || errno != EACCES;
}

/// A session with the control interface: its socket file is an endpoint like any other.
object_ref connect(const settings& shared, xpc_rich_error_t* error) {
  const std::string directory = directory_of(shared, error);
  if (directory.empty()) return nullptr;
  const int file = ::open((directory + control_name).c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    *error =
        errno == EACCES || errno == EPERM
            ? make_error(OPENXPC_ERROR_DENIED, directory + ": this domain is not yours")
            : make_error(OPENXPC_ERROR_NO_DOMAIN, "there is no service manager in " + directory,
                         "start one: xpcd --domain " + directory);
    return nullptr;
  }
  if (!may_connect(file)) {
    ::close(file);
    *error = make_error(OPENXPC_ERROR_DENIED,
                        "the service manager of " + directory + " answers its owner alone");
    return nullptr;
  }
  xpc_endpoint_t endpoint = ::openxpc_endpoint_create_from_fd(file);
  if (endpoint == nullptr) {
    ::close(file);
    *error = make_error(OPENXPC_ERROR_NO_DOMAIN, directory + control_name + ": is no socket");
    return nullptr;
  }
  object_ref session(::openxpc_session_open_endpoint(endpoint, nullptr, error));
  ::xpc_release(endpoint);
  return session;
}

}  // namespace

object_ref request(const char* op) {
  object_ref made(::xpc_dictionary_create(nullptr, nullptr, 0));
  ::xpc_dictionary_set_string(made.get(), "op", op);
  return made;
}

void set(const object_ref& dictionary, const char* key, std::string_view text) {
  ::openxpc_dictionary_set_string(dictionary.get(), key, std::strlen(key), text.data(),
                                  text.size());
}

namespace {

/// Orders that change something.
bool is_change(const std::string& op) {
  static constexpr std::string_view changes[] = {
      "bootstrap", "bootout",  "kickstart", "kill",    "enable",         "disable",
      "setenv",    "unsetenv", "upgrade",   "publish", "upgrade-manager"};
  return std::find(std::begin(changes), std::end(changes), op) != std::end(changes);
}

/// The same for all orders of this process: what they are about tells them apart.
const std::string& id_of_this_run() {
  static const std::string id = [] {
    std::uint64_t parts[2] = {};
    char text[40] = {};
    if (::getrandom(parts, sizeof parts, 0) == static_cast<ssize_t>(sizeof parts)) {
      std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(parts[0]),
                    static_cast<unsigned long long>(parts[1]));
    }
    return std::string(text);
  }();
  return id;
}

object_ref ask_once(const settings& shared, const object_ref& request, xpc_rich_error_t* error) {
  object_ref session = connect(shared, error);
  if (!session) return nullptr;
  // As long as it takes: a job may need its whole ExitTimeOut to end.
  openxpc_call_options_s options{};
  options.size = sizeof options;
  options.timeout_ns = OPENXPC_FOREVER;
  openxpc_call_t call = ::openxpc_peer_call(session.get(), request.get(), &options);
  object_ref reply(::openxpc_call_wait(call, error));
  ::openxpc_call_release(call);
  ::openxpc_peer_cancel(session.get(), nullptr);
  return reply;
}

}  // namespace

object_ref ask(const settings& shared, const object_ref& request, int* exit_code) {
  const bool changes = is_change(text_of(request.get(), "op"));
  const std::string& id = shared.request_id.empty() ? id_of_this_run() : shared.request_id;
  if (changes && !id.empty()) set(request, "request-id", id);
  // A service manager that was killed in the middle is on its way back, and knows the id.
  constexpr std::chrono::seconds patience(10);
  constexpr std::chrono::milliseconds between(50);
  std::chrono::steady_clock::time_point interrupted{};
  for (;;) {
    xpc_rich_error_t error = nullptr;
    object_ref reply = ask_once(shared, request, &error);
    if (reply) return reply;
    const auto now = std::chrono::steady_clock::now();
    const openxpc_error_code_t code = ::openxpc_error_get_code(error);
    const bool first = interrupted == std::chrono::steady_clock::time_point{};
    if (code == OPENXPC_ERROR_INTERRUPTED && first) interrupted = now;
    const bool lost = code == OPENXPC_ERROR_INTERRUPTED || code == OPENXPC_ERROR_NO_DOMAIN ||
                      (::openxpc_error_get_flags(error) & OPENXPC_ERROR_NOT_ACCEPTED) != 0;
    const bool again = lost && interrupted != std::chrono::steady_clock::time_point{} &&
                       now - interrupted < patience;
    // A question changes nothing and may be asked twice.
    if ((changes && id.empty()) || !again) {
      *exit_code = report_error(error);
      return nullptr;
    }
    ::xpc_release(error);
    std::this_thread::sleep_for(between);
  }
}

int report_error(xpc_rich_error_t owned) {
  // The service manager's word for "somebody has that already".
  const bool is_taken = std::strcmp(::openxpc_error_get_domain(owned), "org.openxpc.xpcd") == 0 &&
                        ::openxpc_error_get_number(owned) == EEXIST;
  if (is_taken) {
    std::fprintf(stderr, "xpcctl: %s\n", ::openxpc_error_get_message(owned));
    ::xpc_release(owned);
    return EX_CANTCREAT;
  }
  return report_input(xpc::failure::adopt_native(owned));
}

int carry_out(const settings& shared, const object_ref& order) {
  int status = EX_OK;
  object_ref reply = ask(shared, order, &status);
  if (!reply) return status;
  if (shared.json) print_json(reply.get());
  return EX_OK;
}

void print_json(xpc_object_t object) {
  xpc_rich_error_t error = nullptr;
  std::unique_ptr<char, decltype(&std::free)> text(
      ::openxpc_json_write(object, OPENXPC_JSON_PRETTY, nullptr, &error), &std::free);
  if (text) {
    std::puts(text.get());
  } else {
    report_error(error);
  }
}

xpc_object_t find(xpc_object_t dictionary, const char* key) {
  return ::openxpc_dictionary_get_value(dictionary, key, std::strlen(key));
}

bool has(xpc_object_t dictionary, const char* key) { return find(dictionary, key) != nullptr; }

std::string text_of(xpc_object_t dictionary, const char* key) {
  const char* text = ::xpc_dictionary_get_string(dictionary, key);
  return text ? text : "";
}

std::int64_t number_of(xpc_object_t dictionary, const char* key) {
  return ::xpc_dictionary_get_int64(dictionary, key);
}

std::string span(std::int64_t milliseconds) {
  char text[64];
  const double seconds = static_cast<double>(milliseconds) / 1000;
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%lld ms", static_cast<long long>(milliseconds));
  } else if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  } else if (seconds < 7200) {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  }
  return text;
}

}  // namespace xpcctl
