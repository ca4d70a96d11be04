// A service of which the tests make new versions: what a version does stands behind the program, as
// text at the end of its own file. Whoever subscribes is told of each request that it handles.

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/object.h>
#include <xpc/openxpc/service.h>
#include <xpc/xpc.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string version_text;
int handled_file = -1, streams_file = -1;

/// One reader of the events.
struct subscriber {
  openxpc_writer_t writer = nullptr;
  std::int64_t token = 0;   // the reader's own name for it
  std::int64_t events = 0;  // told so far, those that were dropped included
};
std::mutex subscribers_lock;
std::vector<subscriber*> subscribers;

/// What stands behind the last '@' of the program's file: "VERSION BEHAVIOUR".
std::string own_version() {
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || ::fstat(file, &status) < 0) return {};
  char text[128];
  const ssize_t got =
      ::pread(file, text, sizeof text, status.st_size - static_cast<off_t>(sizeof text));
  ::close(file);
  const std::string tail(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t at = tail.rfind('@');
  return at == std::string::npos ? "0 good" : tail.substr(at + 1);
}

xpc_object_t answer_to(xpc_object_t message) {
  xpc_object_t reply = ::xpc_copy(message);
  ::xpc_dictionary_set_string(reply, "version", version_text.c_str());
  ::xpc_dictionary_set_int64(reply, "pid", ::getpid());
  return reply;
}

/// In one write: nothing of it is lost whatever happens to the process.
void write_line(int file, const std::string& text) {
  const std::string line = text + "\n";
  if (::write(file, line.data(), line.size()) < 0) std::abort();
}

/// An event with a number of the stream's own, by which its reader checks the library's.
void tell_subscribers(std::int64_t id) {
  std::lock_guard hold(subscribers_lock);
  for (subscriber* each : subscribers) {
    xpc_object_t row = ::xpc_dictionary_create(nullptr, nullptr, 0);
    ::xpc_dictionary_set_int64(row, "id", id);
    ::xpc_dictionary_set_int64(row, "number", each->events);
    // Null also for one that is dropped because its reader is slow.
    xpc_rich_error_t over = ::openxpc_writer_try_send(each->writer, row);
    if (over == nullptr) {
      ++each->events;
    } else {
      ::xpc_release(over);
    }
    ::xpc_release(row);
  }
}

/// How much it was told goes to a file: a line "TOKEN EVENTS".
void on_stopped(void* context) {
  auto* over = static_cast<subscriber*>(context);
  {
    std::lock_guard hold(subscribers_lock);
    std::erase(subscribers, over);
  }
  write_line(streams_file, std::to_string(over->token) + " " + std::to_string(over->events));
  ::openxpc_writer_release(over->writer);
  delete over;
}

void on_subscribe(void*, openxpc_subscription_t subscription) {
  auto* added = new subscriber;
  added->token =
      ::xpc_dictionary_get_int64(::openxpc_subscription_get_message(subscription), "token");
  constexpr std::uint64_t little = 4096;
  added->writer =
      ::openxpc_subscription_accept(subscription, OPENXPC_WHEN_FULL_DROP_OLDEST, little);
  {
    std::lock_guard hold(subscribers_lock);
    subscribers.push_back(added);
  }
  ::openxpc_writer_on_stop(added->writer, added, on_stopped);
}

void note(xpc_object_t message) {
  if (handled_file < 0 || !::xpc_dictionary_get_value(message, "id")) return;
  const std::int64_t id = ::xpc_dictionary_get_int64(message, "id");
  write_line(handled_file, std::to_string(id));
  tell_subscribers(id);
}

void answer(openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  note(message);
  xpc_object_t reply = answer_to(message);
  ::openxpc_request_reply(request, reply);
  ::xpc_release(reply);
}

void on_request(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  if (const char* gate = ::xpc_dictionary_get_string(message, "until")) {
    // A FIFO: answered when somebody has opened it, and accepted until then.
    std::thread([request, gate = std::string(gate)] {
      ::close(::open(gate.c_str(), O_RDONLY | O_CLOEXEC));
      answer(request);
    }).detach();
    return;
  }
  answer(request);
}

/// One-way messages are noted too.
void on_message(void*, openxpc_request_t message) {
  note(::openxpc_request_get_message(message));
  ::openxpc_request_release(message);
}

}  // namespace

/// upgrade_service NAME [FILE]: answers with its version; writes the ids that it handled to FILE,
/// and what it told its subscribers to FILE.streams.
int main(int argc, char** argv) {
  const std::string own = own_version();
  version_text = own.substr(0, own.find(' '));
  const std::string behaviour = own.substr(own.find(' ') + 1);
  if (argc < 2) return 64;
  if (behaviour == "crash") std::abort();
  if (behaviour == "exit") {
    std::fprintf(stderr, "version %s does not want to\n", version_text.c_str());
    return 3;
  }
  while (behaviour == "hang") ::pause();
  if (behaviour == "child" && ::fork() == 0) {
    // It keeps the sockets, in a session of its own, and says so.
    ::setsid();
    for (;;) ::pause();
  }
  if (argc > 2) {
    handled_file = ::open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const std::string streams = std::string(argv[2]) + ".streams";
    streams_file = ::open(streams.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (handled_file < 0 || streams_file < 0) return 74;
  }
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = on_request;
  options.conversation.handlers.on_message = on_message;
  if (argc > 2) options.conversation.handlers.on_subscribe = on_subscribe;
  xpc_listener_t listener = ::openxpc_listener_open(argv[1], &options, nullptr);
  if (listener == nullptr) return 69;
  ::openxpc_wait_for_termination();
  std::promise<void> closed;
  ::openxpc_listener_close(listener, &closed,
                           [](void* all) { static_cast<std::promise<void>*>(all)->set_value(); });
  closed.get_future().wait();
  ::xpc_release(listener);
  return 0;
}
