// The service under attack: an ordinary service that does whatever its clients ask. What it does
// wrong it does as programs do: it ignores values, keeps requests, forgets them.

#include "support/role.hpp"

#include <xpc/openxpc/connection.h>
#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "system/manager.hpp"

using namespace system_test;

namespace {

std::mutex lock;
std::condition_variable freed;
bool blocks = true;
std::int64_t blocked = 0;
std::vector<std::string> endings;
std::vector<openxpc_request_t> kept;
std::vector<openxpc_writer_t> writers;
std::int64_t messages = 0, blobs = 0;

void note_end(void*, xpc_rich_error_t why) {
  std::lock_guard hold(lock);
  endings.emplace_back(::openxpc_error_get_message(why));
}

void note_refusal(void*, xpc_rich_error_t why, const openxpc_identity_s*) {
  std::lock_guard hold(lock);
  endings.emplace_back(::openxpc_error_get_message(why));
}

/// Reads "v" by every getter there is; how many found something that is not of their type.
std::int64_t read_by_every_getter(xpc_object_t from) {
  const xpc_object_t value = ::xpc_dictionary_get_value(from, "v");
  const openxpc_type_t type = ::openxpc_type_id(value);
  std::int64_t wrong = 0;
  auto expect = [&](openxpc_type_t mine, bool is_default) {
    if (type != mine && !is_default) ++wrong;
  };
  std::size_t size = 0;
  expect(OPENXPC_TYPE_BOOL, !::xpc_dictionary_get_bool(from, "v"));
  expect(OPENXPC_TYPE_INT64, ::xpc_dictionary_get_int64(from, "v") == 0);
  expect(OPENXPC_TYPE_UINT64, ::xpc_dictionary_get_uint64(from, "v") == 0);
  expect(OPENXPC_TYPE_DATE, ::xpc_dictionary_get_date(from, "v") == 0);
  expect(OPENXPC_TYPE_STRING, ::xpc_dictionary_get_string(from, "v") == nullptr);
  expect(OPENXPC_TYPE_DATA, ::xpc_dictionary_get_data(from, "v", &size) == nullptr);
  expect(OPENXPC_TYPE_UUID, ::xpc_dictionary_get_uuid(from, "v") == nullptr);
  expect(OPENXPC_TYPE_ARRAY, ::xpc_dictionary_get_array(from, "v") == nullptr);
  expect(OPENXPC_TYPE_DICTIONARY, ::xpc_dictionary_get_dictionary(from, "v") == nullptr);
  const int file = ::xpc_dictionary_dup_fd(from, "v");
  expect(OPENXPC_TYPE_FD, file < 0);
  if (file >= 0) ::close(file);
  xpc_connection_t made = ::xpc_dictionary_create_connection(from, "v");
  expect(OPENXPC_TYPE_ENDPOINT, made == nullptr);
  if (made) {
    ::xpc_connection_set_event_handler_f(made, nullptr, [](xpc_object_t, void*) {});
    ::xpc_connection_activate(made);
    ::xpc_connection_cancel(made);
    ::xpc_release(made);
  }
  // The same by functions that take the value itself.
  if (value == nullptr) return wrong;
  expect(OPENXPC_TYPE_STRING, ::xpc_string_get_string_ptr(value) == nullptr);
  expect(OPENXPC_TYPE_STRING, ::xpc_string_get_length(value) == 0);
  expect(OPENXPC_TYPE_DATA, ::xpc_data_get_length(value) == 0);
  expect(OPENXPC_TYPE_ARRAY, ::xpc_array_get_count(value) == 0);
  expect(OPENXPC_TYPE_DICTIONARY, ::xpc_dictionary_get_count(value) == 0);
  expect(OPENXPC_TYPE_INT64, ::xpc_int64_get_value(value) == 0);
  expect(OPENXPC_TYPE_UUID, ::xpc_uuid_get_bytes(value) == nullptr);
  if (char* text = ::xpc_copy_description(value)) ::free(text);
  ::xpc_hash(value);
  return wrong;
}

/// Up to 100 bytes out of the descriptor "v", from its start; -1 where there is none.
std::int64_t read_descriptor(xpc_object_t from) {
  const int file = ::xpc_dictionary_dup_fd(from, "v");
  if (file < 0) return -1;
  char bytes[100];
  const ssize_t got = ::pread(file, bytes, sizeof bytes, 0);
  ::close(file);
  return got;
}

/// A child that uses what it was born with, in the middle of a request; its status.
int fork_and_use(openxpc_request_t request) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    xpc_object_t sender = ::openxpc_request_copy_sender(request);
    xpc_object_t message = ::xpc_dictionary_create_empty();
    xpc_rich_error_t error = ::openxpc_peer_send(sender, message);
    ::openxpc_request_reply(request, message);
    ::_exit(error ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

void answer_request(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  const char* op = ::xpc_dictionary_get_string(message, "op");
  const std::string what = op ? op : "";
  if (what == "forget") return ::openxpc_request_release(request);
  if (what == "keep") {
    std::lock_guard hold(lock);
    kept.push_back(request);
    return;
  }
  if (what == "block") {
    std::unique_lock hold(lock);
    ++blocked;
    freed.wait(hold, [] { return !blocks; });
  }
  object_ref reply(what == "echo" ? ::xpc_retain(message) : ::xpc_dictionary_create_empty());
  if (what == "hello") set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  if (what == "who") {
    object_ref sender(::openxpc_request_copy_sender(request));
    openxpc_identity_s who{};
    who.size = sizeof who;
    ::openxpc_peer_get_identity(sender.get(), &who);
    set(reply, "euid", static_cast<std::int64_t>(who.euid));
    set(reply, "egid", static_cast<std::int64_t>(who.egid));
  }
  if (what == "read") set(reply, "wrong", read_by_every_getter(message));
  if (what == "read-descriptor") set(reply, "got", read_descriptor(message));
  if (what == "fork") set(reply, "status", std::int64_t{fork_and_use(request)});
  if (what == "blob") {
    const auto size = static_cast<std::size_t>(::xpc_dictionary_get_int64(message, "size"));
    const std::string bytes(size, 'b');
    ::xpc_dictionary_set_data(reply.get(), "v", bytes.data(), bytes.size());
    std::lock_guard hold(lock);
    ++blobs;
  }
  if (what == "count") {
    std::lock_guard hold(lock);
    set(reply, "messages", messages);
    set(reply, "blobs", blobs);
    set(reply, "blocked", blocked);
    set(reply, "writers", static_cast<std::int64_t>(writers.size()));
  }
  if (what == "let-go") {
    std::lock_guard hold(lock);
    for (openxpc_request_t one : kept) ::openxpc_request_release(one);
    kept.clear();
    for (openxpc_writer_t one : writers) ::openxpc_writer_release(one);
    writers.clear();
    blocks = false;
    freed.notify_all();
  }
  if (what == "endings") {
    object_ref list(::xpc_array_create_empty());
    std::lock_guard hold(lock);
    for (const std::string& one : endings)
      ::xpc_array_set_string(list.get(), XPC_ARRAY_APPEND, one.c_str());
    endings.clear();
    ::xpc_dictionary_set_value(reply.get(), "endings", list.get());
  }
  ::openxpc_request_reply(request, reply.get());
}

void count_message(void*, openxpc_request_t message) {
  {
    std::lock_guard hold(lock);
    ++messages;
  }
  ::openxpc_request_release(message);
}

/// {policy, size, rows}: writes so many rows, each with its number, whatever the reader does.
void write_rows(void*, openxpc_subscription_t subscription) {
  object_ref message(::xpc_retain(::openxpc_subscription_get_message(subscription)));
  const auto policy = static_cast<openxpc_when_full>(number_at(message, "policy"));
  const std::string bytes(static_cast<std::size_t>(number_at(message, "size")), 'r');
  openxpc_writer_t writer = ::openxpc_subscription_accept(subscription, policy, 65536);
  for (std::int64_t i = 0; i < number_at(message, "rows"); ++i) {
    object_ref row = dictionary();
    set(row, "n", i);
    ::xpc_dictionary_set_data(row.get(), "v", bytes.data(), bytes.size());
    xpc_rich_error_t why = ::openxpc_writer_try_send(writer, row.get());
    const bool over = why && ::openxpc_error_get_code(why) != OPENXPC_ERROR_WOULD_BLOCK;
    if (why) ::xpc_release(why);
    if (over) break;
  }
  std::lock_guard hold(lock);
  writers.push_back(writer);
}

}  // namespace

/// victim NAME [DESCRIPTORS]: serves the name, with so many descriptors at most.
XPC_TEST_ROLE(victim) {
  if (call.arguments.size() > 1) {
    const auto most = static_cast<rlim_t>(std::stoi(call.arguments.at(1)));
    const rlimit few{most, most};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.on_refused = note_refusal;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = answer_request;
  options.conversation.handlers.on_message = count_message;
  options.conversation.handlers.on_subscribe = write_rows;
  options.conversation.handlers.on_end = note_end;
  system_test::object_ref listener(
      ::openxpc_listener_open(call.arguments.at(0).c_str(), &options, nullptr));
  if (!listener) return 1;
  ::openxpc_wait_for_termination();
  return 0;
}
