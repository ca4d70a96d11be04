// Services that the tests launch: roles of the test program, started by xpcd as any program would
// be.

#include "support/role.hpp"

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "system/manager.hpp"
#include "system/serving.hpp"

using namespace system_test;

namespace {

/// Answers with the message and the service's pid; some words make it do something first.
void answer_request(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  const char* op = ::xpc_dictionary_get_string(message, "op");
  const std::string what = op ? op : "";
  if (what == "exit") ::_exit(static_cast<int>(::xpc_dictionary_get_int64(message, "status")));
  if (what == "crash") {
    std::fprintf(stderr, "about to crash\n");
    ::raise(SIGKILL);
  }
  if (what == "begin") ::xpc_transaction_begin();
  if (what == "end") ::xpc_transaction_end();
  if (what == "leave-a-child" && ::fork() == 0) {
    for (;;) ::pause();
  }
  object_ref reply(::xpc_copy(message));
  set(reply, "pid", static_cast<std::int64_t>(::getpid()));
  ::openxpc_request_reply(request, reply.get());
}

}  // namespace

/// echo NAME...: serves the names until it is asked to end.
XPC_TEST_ROLE(echo) {
  // Before the first request can be answered: whoever got an answer finds this line.
  std::fprintf(stderr, "serving\n");
  std::vector<object_ref> listeners;
  for (const std::string& name : call.arguments) {
    openxpc_listener_options_s options{};
    options.size = sizeof options;
    options.conversation.size = sizeof options.conversation;
    options.conversation.handlers.on_request = answer_request;
    xpc_rich_error_t error = nullptr;
    listeners.emplace_back(::openxpc_listener_open(name.c_str(), &options, &error));
    if (!listeners.back()) {
      std::fprintf(stderr, "%s\n", ::openxpc_error_get_message(error));
      return 1;
    }
  }
  ::openxpc_wait_for_termination();
  return 0;
}

namespace {

int handled_file = -1;

void note_request(void*, openxpc_request_t request) { note_and_answer(handled_file, request); }

}  // namespace

/// recorder NAME FILE: writes the id of each request that it handles into the file, then answers.
XPC_TEST_ROLE(recorder) {
  handled_file =
      ::open(call.arguments.at(1).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = note_request;
  xpc_listener_t listener =
      ::openxpc_listener_open(call.arguments.at(0).c_str(), &options, nullptr);
  if (listener == nullptr) return 1;
  serve_to_the_end(listener);
  ::xpc_release(listener);
  return 0;
}

/// plain NAME: serves the name and leaves its main thread to others, as dispatch_main() does.
XPC_TEST_ROLE(plain) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = answer_request;
  if (::openxpc_listener_open(call.arguments.at(0).c_str(), &options, nullptr) == nullptr) return 1;
  for (;;) ::pause();
}

/// Says why and gives up at once.
XPC_TEST_ROLE(hopeless) {
  std::fprintf(stderr, "cannot open the database\n");
  return 3;
}

/// Knows nothing of XPC: takes no connection and ends on SIGTERM.
XPC_TEST_ROLE(foreign) {
  for (;;) ::pause();
}

/// Prints 8 MiB and stays.
XPC_TEST_ROLE(chatty) {
  const std::string line(1023, '.');
  for (int i = 0; i < 8192; ++i) std::fprintf(stderr, "%s\n", line.c_str());
  std::fprintf(stderr, "that was all\n");
  for (;;) ::pause();
}

/// crowd DIR NAME COUNT: so many clients at once, each with a call of its own.
XPC_TEST_ROLE(crowd) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = call.arguments.at(0).c_str();
  std::vector<session> clients;
  std::vector<openxpc_call_t> calls;
  for (int left = std::atoi(call.arguments.at(2).c_str()); left > 0; --left) {
    clients.emplace_back(::openxpc_session_open(call.arguments.at(1).c_str(), &options, nullptr));
    if (!clients.back()) return 1;
    calls.push_back(clients.back().begin("hello"));
  }
  int answered = 0;
  for (openxpc_call_t one : calls) answered += session::wait(one) ? 1 : 0;
  xpc_testing::say(std::to_string(answered));
  xpc_testing::hear();  // all stay until all are answered
  return 0;
}

/// Another user: tries the control socket and a service of the domain in its argument.
XPC_TEST_ROLE(stranger) {
  if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 1;
  for (const char* file : {".control", "org.example.echo"}) {
    const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", call.arguments.at(0).c_str(),
                  file);
    const bool connected =
        ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const std::string outcome = connected ? "connected" : std::strerror(errno);
    xpc_testing::say((*file == '.' ? "control: " : "echo: ") + outcome);
  }
  return 0;
}

/// as_client OP LABEL: asks the service manager that started it, says how that went, and stays.
XPC_TEST_ROLE(as_client) {
  object_ref order = dictionary();
  set(order, "op", call.arguments.at(0));
  set(order, "label", call.arguments.at(1));
  const char* directory = std::getenv("OPENXPC_DOMAIN");
  answer result = ask_control(directory ? directory : "", order);
  xpc_testing::say(result ? "done" : result.message);
  return 0;
}

/// Does not want to end.
XPC_TEST_ROLE(stubborn) {
  ::signal(SIGTERM, SIG_IGN);
  for (;;) ::pause();
}
