#include "settings.hpp"

#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/service.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace semantics {

void adopt_socket(const xpc_testing::role_call& call) {
  if (call.descriptor_count == 0) return;
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_FDNAMES", call.arguments.at(0).c_str(), 1);
}

void serve_until_asked(const xpc_testing::role_call& call) {
  openxpc_on_termination(nullptr, [](void*) {});  // this process ends itself
  xpc_testing::say("ready");
  // The test closes our input: a signal may come late where a sanitizer holds it back.
  if (call.descriptor_count > 0)
    xpc_testing::hear();
  else
    openxpc_wait_for_termination();
}

/// The service in a process of its own, until that is asked to end.
XPC_TEST_ROLE(told_service) {
  adopt_socket(call);
  xpc_connection_t listener = xpc_connection_create_mach_service(
      call.arguments.at(0).c_str(), nullptr,
      // Rule 123: PRIVILEGED means nothing here.
      XPC_CONNECTION_MACH_SERVICE_LISTENER | XPC_CONNECTION_MACH_SERVICE_PRIVILEGED);
  static told_service& service = *new told_service(listener);
  (void)service;
  serve_until_asked(call);
  return 0;
}

std::string name_of(const testing::TestParamInfo<setting>& of) {
  switch (of.param) {
    case setting::same_process:
      return "SameProcess";
    case setting::other_process:
      return "OtherProcess";
    case setting::under_xpcd:
      return "UnderXpcd";
  }
  return "";
}

owned order(const char* op, std::int64_t n) {
  owned made(talk::number(n));
  xpc_dictionary_set_string(made, "op", op);
  return made;
}

std::vector<std::int64_t> notes_in(xpc_object_t reply) {
  std::vector<std::int64_t> all;
  xpc_object_t notes = xpc_dictionary_get_array(reply, "notes");
  for (std::size_t i = 0; notes && i < xpc_array_get_count(notes); ++i)
    all.push_back(xpc_array_get_int64(notes, i));
  return all;
}

std::string event_in(xpc_object_t message) {
  const char* text = xpc_dictionary_get_string(message, "event");
  return text ? text : "";
}

client::client(xpc_connection_t owned, bool activate) : connection_(owned) {
  listen(talk::into(box));
  if (activate) xpc_connection_activate(connection_);
}

client::client(xpc_connection_t owned, talk::handler told) : connection_(owned) {
  listen(std::move(told));
  xpc_connection_activate(connection_);
}

void client::listen(talk::handler told) {
  talk::set_handler(connection_, [this, told = std::move(told)](xpc_object_t event) {
    told(event);
    if (event == XPC_ERROR_CONNECTION_INVALID) ended_.set();
  });
}

client::~client() {
  xpc_connection_cancel(connection_);
  xpc_release(connection_);
  try {
    ended_.wait();
  } catch (const std::exception&) {
    ADD_FAILURE() << "a client never heard that it is over";
  }
}

owned client::ask(const char* op, std::int64_t n) const { return ask(order(op, n)); }
void client::send(const char* op, std::int64_t n) const { send(order(op, n)); }

void client::ask_later(const owned& message, talk::handler& done, dispatch_queue_t queue) const {
  openxpc_connection_send_message_with_reply_f(connection_, message, queue, &done,
                                               talk::call_handler);
}

std::int64_t client::add(std::int64_t n) const {
  owned reply = ask(owned(talk::number(n)));
  return xpc_get_type(reply) == XPC_TYPE_DICTIONARY ? talk::number_in(reply) : -1;
}

namespace {

openxpc::base::fd bound_socket(const std::string& path) {
  openxpc::base::fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(made.get(), 128) != 0)
    throw std::runtime_error(path + ": " + std::strerror(errno));
  return made;
}

}  // namespace

// A death test runs this again, in another process and the same runtime directory.
Connections::Connections(std::string role)
    : role_(std::move(role)),
      domain_(xpc_testing::runtime_directory() + "/domain-" + std::to_string(::getpid())) {
  ::setenv("OPENXPC_DOMAIN", domain_.c_str(), 1);
  switch (GetParam()) {
    case setting::same_process:
      listener_ = xpc_connection_create(nullptr, nullptr);
      here_ = std::make_unique<told_service>(listener_);
      endpoint_ = owned(xpc_endpoint_create(listener_));
      break;
    case setting::other_process:
      ::mkdir(domain_.c_str(), 0700);
      control_ = bound_socket(domain_ + "/.control");  // what makes a directory a domain
      socket_ = bound_socket(domain_ + "/" + service_name);
      start_other();
      break;
    case setting::under_xpcd:
      ::mkdir(domain_.c_str(), 0700);
      manager_.emplace(domain_);
      system_test::answer loaded = manager_->bootstrap(
          system_test::plist("told", system_test::role(role_, {service_name}), {service_name},
                             "<key>ThrottleInterval</key><integer>0</integer>"));
      if (!loaded) throw std::runtime_error(loaded.message);
      break;
  }
}

Connections::~Connections() {
  here_.reset();
  if (listener_) xpc_release(listener_);
  try {
    if (other_) {
      other_->close_input();
      if (end_.signal != 0) other_->kill(end_.signal);
      EXPECT_EQ(other_->wait(), end_) << other_->error_text();
    }
    if (manager_) {
      EXPECT_EQ(manager_->stop().status, 0) << manager_->log();
    }
  } catch (const std::exception& late) {
    ADD_FAILURE() << late.what() << (manager_ ? manager_->log() : std::string());
  }
}

void Connections::start_other() {
  if (role_.empty()) return;
  other_.reset();
  other_.emplace(xpc_testing::child::role(role_, with_socket()));
  other_->expect_line("ready");
}

xpc_testing::child_options Connections::with_socket() const {
  return {.arguments = {service_name}, .borrowed_fds = {socket_.get()}, .keep_stderr = true};
}

xpc_connection_t Connections::connection(dispatch_queue_t queue) const {
  if (GetParam() == setting::same_process) {
    xpc_connection_t made = xpc_connection_create_from_endpoint(
        static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint_)));
    xpc_connection_set_target_queue(made, queue);
    return made;
  }
  return xpc_connection_create_mach_service(service_name, queue, 0);
}

void Connections::lose(const client& whom) {
  if (!named()) return whom.send("cancel");
  lose_process(xpc_connection_get_pid(whom));
}

void Connections::lose_process(pid_t pid) {
  ASSERT_GT(pid, 0) << "who is it?";
  ::kill(pid, SIGKILL);
  if (!other_) return system_test::wait_until_gone(pid);
  other_->wait();
  start_other();
}

void Connections::remove_name() {
  if (manager_) {
    EXPECT_TRUE(manager_->verb("bootout", "told"));
    return;
  }
  EXPECT_EQ(::unlink((domain_ + "/" + service_name).c_str()), 0);
}

void Connections::expect_service_death(const std::string& text) {
  std::string said;
  if (manager_) {
    system_test::object_ref job;
    xpc_testing::wait_until("the service to end", [&] {
      job = manager_->print("told");
      return system_test::number_at(job, "last-exit/signal") != 0;
    });
    for (const std::string& line : system_test::texts_at(job, "stderr")) said += line + "\n";
  } else {
    EXPECT_NE(other_->wait().signal, 0);
    said = other_->error_text();
    other_.reset();
  }
  EXPECT_NE(said.find(text), std::string::npos) << said;
}

void Connections::expect_loss(client& of) {
  EXPECT_EQ(of.box.take().get(), XPC_ERROR_CONNECTION_INTERRUPTED);
  if (named()) return;
  EXPECT_EQ(of.box.take().get(), XPC_ERROR_CONNECTION_INVALID);
}

std::int64_t Connections::wait_for(client& watcher, const std::string& event) {
  for (;;) {
    talk::kept seen = watcher.box.take();
    if (xpc_get_type(seen.get()) != XPC_TYPE_DICTIONARY)
      throw std::runtime_error("the watcher lost its service");
    if (event_in(seen.get()) == event) return xpc_dictionary_get_int64(seen.get(), "peer");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Connections,
                         testing::Values(setting::same_process, setting::other_process,
                                         setting::under_xpcd),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Each, NamedConnections,
                         testing::Values(setting::other_process, setting::under_xpcd), name_of);
INSTANTIATE_TEST_SUITE_P(Each, MainServices,
                         testing::Values(setting::other_process, setting::under_xpcd), name_of);
INSTANTIATE_TEST_SUITE_P(Each, HandedSockets, testing::Values(setting::other_process), name_of);
INSTANTIATE_TEST_SUITE_P(Each, SessionServices,
                         testing::Values(setting::other_process, setting::under_xpcd), name_of);

}  // namespace semantics
