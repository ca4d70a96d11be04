#include "system/application.hpp"

#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>
#include <xpc/private.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace system_test {

namespace fs = std::filesystem;

std::string make_bundle(const std::string& place, const bundle_files& what) {
  const std::string name = what.directory.empty() ? what.identifier : what.directory;
  const std::string bundle = place + "/" + name + ".xpc";
  const std::string inside = what.flat ? bundle : bundle + "/Contents";
  const std::string programs = what.flat ? bundle : inside + "/MacOS";
  fs::create_directories(programs);
  std::ofstream(inside + "/Info.plist")
      << "<plist version=\"1.0\"><dict>\n<key>CFBundleIdentifier</key><string>" << what.identifier
      << "</string>\n<key>CFBundlePackageType</key><string>XPC!</string>\n"
      << what.more << "<key>XPCService</key><dict>\n"
      << what.service << "</dict>\n</dict></plist>\n";
  const std::string program = programs + "/" + (what.executable.empty() ? name : what.executable);
  const std::string becomes = what.program.empty() ? xpc_testing::this_program() : what.program;
  std::ofstream(program) << "#!/bin/sh\nexec " << becomes << " --xpc-role=" << what.role << " "
                         << what.identifier << "\n";
  if (::chmod(program.c_str(), 0755) != 0) throw std::runtime_error(program);
  return bundle;
}

void install_program(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  std::error_code linked;
  fs::create_hard_link(xpc_testing::this_program(), path, linked);
  if (linked) fs::copy_file(xpc_testing::this_program(), path);
}

namespace {

xpc_testing::child start(const std::string& program, const std::string& domain,
                         std::vector<std::string> environment) {
  xpc_testing::child_options options;
  options.arguments = {"--xpc-role=application"};
  options.environment = std::move(environment);
  options.environment.push_back("OPENXPC_DOMAIN=" + domain);
  return xpc_testing::child::program(program, options);
}

}  // namespace

application::application(const std::string& program, const std::string& domain,
                         const std::vector<std::string>& environment)
    : process_(start(program, domain, environment)) {
  process_.expect_line("ready");
}

std::string application::say(const std::string& line) {
  process_.write_line(line);
  std::optional<std::string> answer = process_.read_line();
  if (!answer) throw std::runtime_error("the application is gone");
  return *answer;
}

std::string application::ask(const std::string& id, const std::string& name,
                             const std::string& word) {
  return say("ask " + id + " " + name + " " + word);
}

}  // namespace system_test

using namespace system_test;

namespace {

std::string reason_of(xpc_connection_t connection, xpc_object_t error) {
  std::unique_ptr<char, decltype(&std::free)> text(
      ::xpc_connection_copy_invalidation_reason(connection), &std::free);
  const char* said = ::xpc_dictionary_get_string(error, XPC_ERROR_KEY_DESCRIPTION);
  std::string all = text ? text.get() : said ? said : "";
  for (char& c : all) c = c == '\n' ? ' ' : c;
  return "error: " + all;
}

using connections = std::map<std::string, object_ref>;

xpc_connection_t connection_of(connections& all, const std::string& id, const std::string& name) {
  object_ref& known = all[id];
  if (!known) {
    known.reset(id.starts_with("mach")
                    ? ::xpc_connection_create_mach_service(
                          name.c_str(), nullptr,
                          id == "mach-privileged" ? XPC_CONNECTION_MACH_SERVICE_PRIVILEGED : 0)
                    : ::xpc_connection_create(name.c_str(), nullptr));
    auto* made = static_cast<xpc_connection_t>(known.get());
    ::xpc_connection_set_event_handler_f(made, nullptr, [](xpc_object_t, void*) {});
    ::xpc_connection_activate(made);
  }
  return static_cast<xpc_connection_t>(known.get());
}

std::string answer_of(xpc_connection_t to, const std::string& word) {
  object_ref message = dictionary();
  set(message, "op", word);
  object_ref reply(::xpc_connection_send_message_with_reply_sync(to, message.get()));
  if (::xpc_get_type(reply.get()) == XPC_TYPE_ERROR) return reason_of(to, reply.get());
  const char* text = ::xpc_dictionary_get_string(reply.get(), "text");
  return text ? text : std::to_string(::xpc_dictionary_get_int64(reply.get(), "pid"));
}

/// The service manager's own answer to a request for a private service.
std::string asked_for(const std::string& domain, const std::string& name,
                      const std::string& connection) {
  object_ref request = dictionary();
  set(request, "op", "private-service");
  set(request, "name", name);
  set(request, "connection", connection);
  answer said = ask_control(domain, request);
  if (!said) return "error: " + said.message;
  return has(said.reply, "endpoint") ? "endpoint" : "ask " + text_at(said.reply, "ask");
}

/// One question to what the service manager of that domain leads to.
std::string through(const std::string& domain, const std::string& name, const std::string& word) {
  object_ref request = dictionary();
  set(request, "op", "private-service");
  set(request, "name", name);
  answer said = ask_control(domain, request);
  if (!said) return "error: " + said.message;
  auto* endpoint =
      static_cast<xpc_endpoint_t>(::xpc_dictionary_get_value(said.reply.get(), "endpoint"));
  xpc_rich_error_t error = nullptr;
  const session made(::openxpc_session_open_endpoint(endpoint, nullptr, &error));
  const object_ref owned(error);
  if (!made) return std::string("error: ") + ::openxpc_error_get_message(error);
  answer reply = made.call(word.c_str());
  return reply ? text_at(reply.reply, "text") : "error: " + reply.message;
}

/// One question over a session of Apple's API.
std::string session_with(const std::string& name, const std::string& word) {
  xpc_rich_error_t error = nullptr;
  const object_ref made(
      ::xpc_session_create_xpc_service(name.c_str(), nullptr, XPC_SESSION_CREATE_NONE, &error));
  if (!made) return std::string("error: ") + ::openxpc_error_get_message(error);
  object_ref message = dictionary();
  set(message, "op", word);
  const object_ref reply(::xpc_session_send_message_with_reply_sync(
      static_cast<xpc_session_t>(made.get()), message.get(), &error));
  std::string text =
      reply ? text_at(reply, "text") : std::string("error: ") + ::openxpc_error_get_message(error);
  ::xpc_session_cancel(static_cast<xpc_session_t>(made.get()));
  return text;
}

}  // namespace

/// Asks services, a line each: "ask CONNECTION NAME WORD"; "drop CONNECTION";
/// "instance CONNECTION NAME CHARACTER"; "control DOMAIN NAME NUMBER"; "through DOMAIN
/// NAME WORD"; "session NAME WORD"; "become
/// PROGRAM".
XPC_TEST_ROLE(application) {
  connections all;
  xpc_testing::say("ready");
  for (std::string line; !(line = xpc_testing::hear()).empty();) {
    std::istringstream words(line);
    std::string verb, id, name, word;
    words >> verb >> id >> name >> word;
    if (verb == "ask") {
      xpc_testing::say(answer_of(connection_of(all, id, name), word));
    } else if (verb == "drop") {
      ::xpc_connection_cancel(static_cast<xpc_connection_t>(all[id].get()));
      all.erase(id);
      xpc_testing::say("dropped");
    } else if (verb == "instance") {
      // The number is the same byte 16 times; the connection is made inactive and asked later.
      unsigned char uuid[16];
      std::memset(uuid, word.front(), sizeof uuid);
      xpc_connection_t made = ::xpc_connection_create(name.c_str(), nullptr);
      all[id].reset(made);
      ::xpc_connection_set_event_handler_f(made, nullptr, [](xpc_object_t, void*) {});
      ::xpc_connection_set_instance(made, uuid);
      ::xpc_connection_activate(made);
      xpc_testing::say("made");
    } else if (verb == "control") {
      xpc_testing::say(asked_for(id, name, word));
    } else if (verb == "through") {
      xpc_testing::say(through(id, name, word));
    } else if (verb == "session") {
      xpc_testing::say(session_with(id, name));
    } else if (verb == "become") {
      xpc_testing::say("becoming");
      ::execl(id.c_str(), id.c_str(), "--xpc-role=application", nullptr);
      return 1;
    }
  }
  for (auto& [id, one] : all) ::xpc_connection_cancel(static_cast<xpc_connection_t>(one.get()));
  return 0;
}

namespace {

/// Who this process is and what it may: "UID GID GROUPS nnp N files SOFT HARD HOME".
std::string rights() {
  std::ostringstream all;
  all << ::getuid() << " " << ::getgid() << " ";
  gid_t groups[64];
  const int count = ::getgroups(64, groups);
  for (int at = 0; at < count; ++at) all << (at == 0 ? "" : ",") << groups[at];
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const char* home = ::getenv("HOME");
  all << " nnp " << ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) << " files " << files.rlim_cur << " "
      << files.rlim_max << " " << (home ? home : "unset");
  return all.str();
}

void help(void*, openxpc_request_t request) {
  const char* op = ::xpc_dictionary_get_string(::openxpc_request_get_message(request), "op");
  const std::string what = op ? op : "";
  if (what == "crash") ::abort();
  object_ref reply = dictionary();
  std::string text = what + "?";
  if (what == "pid") text = std::to_string(::getpid());
  if (what == "rights") text = rights();
  if (what == "leads-session") text = ::getsid(0) == ::getpid() ? "yes" : "no";
  if (what.starts_with("$")) {
    const char* value = ::getenv(what.c_str() + 1);
    text = value ? value : "unset";
  }
  set(reply, "text", text);
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// helper NAME: a service that tells about itself.
XPC_TEST_ROLE(helper) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = help;
  xpc_rich_error_t error = nullptr;
  const object_ref listener(
      ::openxpc_listener_open(call.arguments.at(0).c_str(), &options, &error));
  if (!listener) {
    std::fprintf(stderr, "%s\n", ::openxpc_error_get_message(error));
    return 1;
  }
  ::openxpc_wait_for_termination();
  return 0;
}
