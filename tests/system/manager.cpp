#include "system/manager.hpp"

#include "base/poll_now.hpp"
#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

using openxpc::base::fd;

namespace system_test {

object_ref dictionary() { return object_ref(::xpc_dictionary_create(nullptr, nullptr, 0)); }

void set(const object_ref& dictionary, const char* key, std::string_view text) {
  ::openxpc_dictionary_set_string(dictionary.get(), key, std::string_view(key).size(), text.data(),
                                  text.size());
}

void set(const object_ref& dictionary, const char* key, std::int64_t number) {
  ::xpc_dictionary_set_int64(dictionary.get(), key, number);
}

namespace {

xpc_object_t find(const object_ref& from, std::string_view path) {
  xpc_object_t at = from.get();
  while (at != nullptr && !path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view key = path.substr(0, slash);
    at = ::openxpc_type_id(at) == OPENXPC_TYPE_DICTIONARY
             ? ::openxpc_dictionary_get_value(at, key.data(), key.size())
             : nullptr;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return at;
}

answer failed(xpc_rich_error_t owned) {
  object_ref error(owned);
  answer result;
  result.code = ::openxpc_error_get_code(owned);
  result.flags = ::openxpc_error_get_flags(owned);
  result.message = ::openxpc_error_get_message(owned);
  return result;
}

openxpc_conversation_options_s options_for(const std::string& directory) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = directory.c_str();
  return options;
}

}  // namespace

std::string text_at(const object_ref& from, std::string_view path) {
  xpc_object_t at = find(from, path);
  const char* text = at ? ::xpc_string_get_string_ptr(at) : nullptr;
  return text ? text : "";
}

std::int64_t number_at(const object_ref& from, std::string_view path) {
  xpc_object_t at = find(from, path);
  return at ? ::xpc_int64_get_value(at) : 0;
}

bool has(const object_ref& from, std::string_view path) { return find(from, path) != nullptr; }

std::vector<std::string> texts_at(const object_ref& from, std::string_view path) {
  std::vector<std::string> result;
  xpc_object_t at = find(from, path);
  for (std::size_t i = 0; at && i < ::xpc_array_get_count(at); ++i) {
    const char* text = ::xpc_array_get_string(at, i);
    result.emplace_back(text ? text : "");
  }
  return result;
}

answer session::wait(openxpc_call_t owned) {
  xpc_rich_error_t error = nullptr;
  answer result;
  result.reply.reset(::openxpc_call_wait(owned, &error));
  ::openxpc_call_release(owned);
  return result.reply ? std::move(result) : failed(error);
}

answer session::call(const object_ref& message) const {
  return wait(::openxpc_peer_call(handle_.get(), message.get(), nullptr));
}

openxpc_call_t session::begin(const char* what) const {
  object_ref message = dictionary();
  set(message, "op", what);
  return begin(message);
}

openxpc_call_t session::begin(const object_ref& message) const {
  return ::openxpc_peer_call(handle_.get(), message.get(), nullptr);
}

answer session::call(const char* what) const { return wait(begin(what)); }

pid_t session::pid() const {
  openxpc_identity_s who{};
  who.size = sizeof who;
  return ::openxpc_peer_get_identity(handle_.get(), &who) ? who.pid : 0;
}

void session::end() {
  if (!handle_) return;
  ::openxpc_peer_cancel(handle_.get(), nullptr);
  ::openxpc_peer_wait_for_handlers(handle_.get());
  handle_.reset();
}

std::string plist(const std::string& label, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& names, const std::string& more) {
  std::string text = "<plist version=\"1.0\"><dict>\n<key>Label</key><string>" + label +
                     "</string>\n<key>ProgramArguments</key><array>";
  for (const std::string& one : arguments) {
    text += "<string>";
    for (const char c : one) text += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
    text += "</string>";
  }
  text += "</array>\n<key>MachServices</key><dict>";
  for (const std::string& one : names) text += "<key>" + one + "</key><true/>";
  return text + "</dict>\n" + more + "</dict></plist>\n";
}

std::string with_options(const std::string& plist, const std::string& options) {
  std::string result = plist;
  const std::string value = "<dict>" + options + "</dict>";
  const std::size_t names = result.find("<key>MachServices</key>");
  const auto end = [&] { return result.find("</dict>\n", names); };
  for (std::size_t at = result.find("<true/>", names); at < end();
       at = result.find("<true/>", at)) {
    result.replace(at, 7, value);
    at += value.size();
  }
  return result;
}

std::string for_anybody(const std::string& plist) {
  return with_options(plist, "<key>AllowAnyPeer</key><true/>");
}

std::vector<std::string> role(const std::string& name, const std::vector<std::string>& arguments) {
  std::vector<std::string> result{xpc_testing::this_program(), "--xpc-role=" + name};
  result.insert(result.end(), arguments.begin(), arguments.end());
  return result;
}

manager::manager(std::string directory, std::vector<std::string> more)
    : directory_(std::move(directory)), more_(std::move(more)) {
  start();
}

void manager::start() {
  xpc_testing::child_options options;
  options.arguments = {"--domain", directory_, "--ready-fd", "1"};
  options.arguments.insert(options.arguments.end(), more_.begin(), more_.end());
  options.keep_stderr = true;
  xpcd_.reset();
  xpcd_.emplace(xpc_testing::child::program(xpc_testing::xpcd_program, options));
  std::optional<std::string> line = xpcd_->read_line();
  if (line != "ready") throw std::runtime_error("xpcd is not ready: " + log());
}

void manager::kill() {
  xpcd_->kill(SIGKILL);
  xpcd_->wait();
}

void manager::replace() {
  kill();
  start();
}

xpc_testing::ending manager::stop() {
  xpcd_->kill(SIGTERM);
  return wait();
}

xpc_testing::ending manager::wait() try {
  return xpcd_->wait();
} catch (const std::exception& why) {
  throw std::runtime_error(why.what() + std::string("; xpcd said:\n") + log());
}

answer manager::ask(const object_ref& request) const { return ask_control(directory_, request); }

session open_control(const std::string& directory, answer* why) {
  fd file(::open((directory + "/.control").c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
  xpc_endpoint_t endpoint = file ? ::openxpc_endpoint_create_from_fd(file.get()) : nullptr;
  if (endpoint == nullptr) throw std::runtime_error("there is no control socket");
  (void)file.release();
  xpc_rich_error_t error = nullptr;
  session control(::openxpc_session_open_endpoint(endpoint, nullptr, &error));
  ::xpc_release(endpoint);
  if (!control) *why = failed(error);
  return control;
}

answer ask_control(const std::string& directory, const object_ref& request) {
  answer why;
  session control = open_control(directory, &why);
  return control ? control.call(request) : std::move(why);
}

answer manager::bootstrap(const std::string& plist, const std::string& origin) const {
  object_ref request = dictionary();
  set(request, "op", "bootstrap");
  set(request, "origin", origin);
  ::xpc_dictionary_set_data(request.get(), "plist", plist.data(), plist.size());
  return ask(request);
}

answer manager::verb(const char* op, const std::string& label) const {
  object_ref request = dictionary();
  set(request, "op", op);
  set(request, "label", label);
  return ask(request);
}

object_ref manager::print(const std::string& label) const {
  answer result = verb("print", label);
  if (!result) throw std::runtime_error("print " + label + ": " + result.message);
  xpc_object_t job = ::xpc_dictionary_get_value(result.reply.get(), "job");
  return object_ref(::xpc_retain(job));
}

object_ref manager::wait_for_state(const std::string& label, const std::string& state) const {
  object_ref job;
  xpc_testing::wait_until(label + " to be " + state, [&] {
    job = print(label);
    return text_at(job, "state") == state;
  });
  return job;
}

session manager::open(const std::string& name) const {
  openxpc_conversation_options_s options = options_for(directory_);
  xpc_rich_error_t error = nullptr;
  session result(::openxpc_session_open(name.c_str(), &options, &error));
  if (!result) throw std::runtime_error(name + ": " + failed(error).message);
  return result;
}

openxpc_error_code_t manager::open_fails(const std::string& name, std::string* message) const {
  openxpc_conversation_options_s options = options_for(directory_);
  xpc_rich_error_t error = nullptr;
  session result(::openxpc_session_open(name.c_str(), &options, &error));
  if (result) return OPENXPC_ERROR_NONE;
  answer why = failed(error);
  if (message) *message = why.message;
  return why.code;
}

bool is_alive(pid_t pid) {
  // Of a process whose first thread has ended already others may still hold its descriptors: the
  // kernel says when the last one is gone.
  const fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return process && !openxpc::base::has_ended(process.get());
}

void wait_until_gone(pid_t pid) {
  xpc_testing::wait_until("process " + std::to_string(pid) + " to be gone",
                          [&] { return !is_alive(pid); });
}

}  // namespace system_test
