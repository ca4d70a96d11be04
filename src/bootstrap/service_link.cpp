#include "bootstrap/service_link.hpp"

#include "bootstrap/domain.hpp"
#include "bootstrap/inherited.hpp"
#include "bootstrap/termination.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/transactions.hpp"
#include "object/scalar.hpp"
#include "object/shared_fd.hpp"
#include "object/string.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <vector>

// The link is a conversation like any other: it comes back by dialing the control socket in the
// domain's directory, which is known by descriptor, so that neither a moved path nor a changed
// environment matters. After it came back it offers the sockets; a service manager that knows them
// already ignores the offer.
namespace openxpc::bootstrap {
namespace {

using connection::conversation;

class link_dialer final : public connection::dialer {
 public:
  link_dialer(base::fd first, base::fd directory)
      : first_(std::move(first)), directory_(std::move(directory)) {}
  connection::error_ref look_up() override { return nullptr; }
  answer dial(base::instant) override {
    if (first_) return {std::move(first_), nullptr};
    base::fd socket = channel::new_socket();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                  directory_.get(), control_name);
    // Whatever goes wrong, the service manager may be on its way back.
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return {};
    return {std::move(socket), nullptr};
  }

 private:
  base::fd first_;
  base::fd directory_;
};

base::ref<object::dictionary> message(const char* verb) {
  auto made = object::dictionary::create();
  made->set("op", object::string::copy_of(verb));
  return made;
}

class service_link final : public base::counted {
 public:
  static service_link* get() {
    static service_link* only = [] {
      base::fd link = take_inherited_link();
      return link ? new service_link(std::move(link)) : nullptr;
    }();
    return only;
  }

  void check_in() {
    std::call_once(checked_in_, [this] { greet("check-in"); });
  }

  void add(base::ref<connection::listener> added) {
    {
      std::lock_guard lock(mutex_);
      listeners_.push_back(added);
    }
    if (termination_requested()) drain();
    check_in();
  }

 private:
  class told final : public connection::handlers {
   public:
    explicit told(service_link& of) : of_(of) {}
    void received(base::ref<connection::incoming> what) override {
      auto* verb = object::as<object::string>(what->message->get("op"));
      std::string_view op = verb ? verb->text() : std::string_view();
      if (op == "terminate") {
        of_.terminate();
        if (what->right) what->right->reply(*message("terminating"));
      } else if (op == "exit-if-idle") {
        bool idle = of_.idle();
        if (idle) of_.terminate();
        if (what->right) what->right->reply(*message(idle ? "terminating" : "busy"));
      } else if (what->right) {
        what->right->fail(connection::make_error(
            OPENXPC_ERROR_UNKNOWN_METHOD, "the service link knows no \"" + std::string(op) + "\""));
      }
    }
    void subscribed(base::ref<connection::incoming>) override {}
    void interrupted(const connection::error_ref&) override { of_.greet("check-in-again"); }
    void ended(const connection::error_ref&) override {}

   private:
    service_link& of_;
  };

  explicit service_link(base::fd link) {
    conversation::options how;
    how.comes_back = true;
    how.full = channel::when_full::queue;
    how.way = base::make_ref<link_dialer>(std::move(link), take_inherited_domain());
    talk_ = conversation::make(std::move(how));
    talk_->set_handlers(base::make_ref<told>(*this));
    talk_->activate();
    watch_unhandled_signals();
    when_termination_is_requested([this] { drain(); });
  }

  /// Says who we are; again after the service manager was replaced, then with our sockets.
  void greet(const char* verb) {
    auto hello = message(verb);
    auto sockets = object::dictionary::create();
    for (const std::string& name : inherited_names())
      if (base::fd socket = inherited_listener(name))
        sockets->set(name, base::make_ref<object::descriptor>(
                               base::make_ref<object::shared_fd>(std::move(socket))));
    hello->set("sockets", sockets);
    (void)talk_->send(*hello);  // It waits in the conversation until a service manager is there.
  }

  void terminate() { request_termination(); }

  bool idle() {
    if (connection::transaction_count() != 0) return false;
    std::lock_guard lock(mutex_);
    for (auto& each : listeners_)
      if (each->peer_count() != 0) return false;
    return true;
  }

  /// Planned stop of everything that listens, then the word that nothing is left.
  void drain() {
    std::vector<base::ref<connection::listener>> all;
    {
      std::lock_guard lock(mutex_);
      all.swap(listeners_);
      left_ += all.size();
      if (left_ == 0 && !drained_) all.clear();
    }
    if (all.empty()) return end_when_idle();
    for (auto& each : all) {
      each->announce_termination();
      each->stop([this] {
        bool last;
        {
          std::lock_guard lock(mutex_);
          last = --left_ == 0;
        }
        if (last) end_when_idle();
      });
    }
  }

  /// The end of the last transaction is the end of the process (rule 173).
  void end_when_idle() {
    connection::when_no_transactions([this] { say_drained(); });
  }

  void say_drained() {
    {
      std::lock_guard lock(mutex_);
      if (left_ != 0 || std::exchange(drained_, true)) return;
    }
    (void)talk_->send(*message("drained"));
    end_unless_program_does();
  }

  base::ref<conversation> talk_;
  std::once_flag checked_in_;
  std::mutex mutex_;
  std::vector<base::ref<connection::listener>> listeners_;
  std::size_t left_ = 0;
  bool drained_ = false;
};

}  // namespace

void check_in() {
  if (auto* link = service_link::get()) link->check_in();
}

void expect_named_listener() { (void)service_link::get(); }

void add_named_listener(base::ref<connection::listener> added) {
  if (auto* link = service_link::get()) link->add(std::move(added));
}

}  // namespace openxpc::bootstrap
