#include <xpc/openxpc/conversation.h>
#include <xpc/openxpc/error.h>
#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/object.h>
#include <xpc/openxpc/service.h>
#include <xpc/xpc.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "managers.hpp"

// The service that both managers start, and its clients.
namespace manager_bench {
namespace {

void answer(void*, openxpc_request_t request) {
  xpc_object_t message = ::openxpc_request_get_message(request);
  xpc_object_t reply = ::xpc_dictionary_create_empty();
  ::xpc_dictionary_set_int64(reply, "n", ::xpc_dictionary_get_int64(message, "n") + 1);
  ::openxpc_request_reply(request, reply);
  ::xpc_release(reply);
}

void leave(void*, openxpc_request_t) { ::_exit(0); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up(path + ": too long for a socket");
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  return address;
}

xpc_session_t open_session(const std::string& path) {
  xpc_endpoint_t endpoint =
      ::openxpc_endpoint_create_from_fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (endpoint == nullptr) give_up(path + ": no socket");
  xpc_session_t session = ::openxpc_session_open_endpoint(endpoint, nullptr, nullptr);
  ::xpc_release(endpoint);
  if (session == nullptr) give_up(path + ": no session");
  return session;
}

void call_once(xpc_session_t session) {
  xpc_object_t message = ::xpc_dictionary_create_empty();
  ::xpc_dictionary_set_int64(message, "n", 41);
  openxpc_call_t call = ::openxpc_peer_call(session, message, nullptr);
  ::xpc_release(message);
  xpc_rich_error_t error = nullptr;
  xpc_object_t reply = ::openxpc_call_wait(call, &error);
  ::openxpc_call_release(call);
  if (reply == nullptr) give_up(::openxpc_error_get_message(error));
  if (::xpc_dictionary_get_int64(reply, "n") != 42) give_up("a wrong reply");
  ::xpc_release(reply);
}

}  // namespace

int serve(const std::string& name) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = answer;
  options.conversation.handlers.on_message = leave;
  xpc_listener_t listener = ::openxpc_listener_open(name.c_str(), &options, nullptr);
  if (listener == nullptr) return 1;
  ::openxpc_wait_for_termination();
  return 0;
}

double first_reply(const std::string& path, bool then_exit) {
  const double begin = seconds_since_boot();
  xpc_session_t session = open_session(path);
  call_once(session);
  const double took = seconds_since_boot() - begin;
  if (then_exit) {
    xpc_object_t message = ::xpc_dictionary_create_empty();
    if (xpc_rich_error_t why = ::openxpc_peer_send(session, message))
      give_up(::openxpc_error_get_message(why));
    ::xpc_release(message);
    // Whoever is told to leave says nothing more: the conversation ends.
    while (!::openxpc_peer_is_over(session)) ::usleep(100);
  }
  ::openxpc_peer_cancel(session, nullptr);
  ::xpc_release(session);
  return took;
}

double connects(const std::string& path, int count) {
  const double begin = seconds_since_boot();
  for (int i = 0; i < count; ++i) {
    xpc_session_t session = open_session(path);
    call_once(session);
    ::openxpc_peer_cancel(session, nullptr);
    ::xpc_release(session);
  }
  return seconds_since_boot() - begin;
}

double plain_connects(const std::string& path, int count) {
  const sockaddr_un address = address_of(path);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  const int listening = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listening < 0 || ::bind(listening, where, sizeof address) != 0 ||
      ::listen(listening, 1024) != 0)
    give_up("bind");
  std::fflush(nullptr);
  const pid_t server = ::fork();
  if (server == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      const int client = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
      char bytes[64];
      const ssize_t got = ::recv(client, bytes, sizeof bytes, 0);
      if (got > 0) (void)::send(client, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL);
      ::close(client);
    }
  }
  const double begin = seconds_since_boot();
  for (int i = 0; i < count; ++i) {
    const int client = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    char bytes[64] = "forty-one";
    if (client < 0 || ::connect(client, where, sizeof address) != 0 ||
        ::send(client, bytes, sizeof bytes, MSG_NOSIGNAL) != sizeof bytes ||
        ::recv(client, bytes, sizeof bytes, 0) != sizeof bytes) {
      give_up("a plain connection failed");
    }
    ::close(client);
  }
  const double took = seconds_since_boot() - begin;
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  ::close(listening);
  ::unlink(path.c_str());
  return took;
}

}  // namespace manager_bench
