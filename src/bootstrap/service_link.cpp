#include "bootstrap/service_link.hpp"

#include "bootstrap/domain.hpp"
#include "bootstrap/inherited.hpp"
#include "bootstrap/termination.hpp"
#include "bootstrap/unit_notify.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/transactions.hpp"
#include "engine/timer.hpp"
#include "object/array.hpp"
#include "object/scalar.hpp"
#include "object/shared_fd.hpp"
#include "object/string.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
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

/// What other parts of the library do with the link; there before it is.
struct subscribers {
  std::mutex mutex;
  std::map<std::string, base::function<void(object::dictionary&)>, std::less<>> orders;
  std::deque<base::function<void()>> returns;
};
subscribers& all_subscribers() {
  static auto* forever = new subscribers;  // engine threads may outlive static destructors
  return *forever;
}

/// Functions are never taken away, and what is in a map or behind others in a deque stays in place.
const base::function<void(object::dictionary&)>* order_of(std::string_view op) {
  std::lock_guard lock(all_subscribers().mutex);
  auto at = all_subscribers().orders.find(op);
  return at == all_subscribers().orders.end() ? nullptr : &at->second;
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

  conversation& talk() const noexcept { return *talk_; }

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
      // The answer first: with the word given, the process may end on another thread.
      if (op == "terminate") {
        if (what->right) what->right->reply(*word_of("terminating"));
        of_.terminate();
      } else if (op == "exit-if-idle") {
        const bool idle = of_.idle();
        if (what->right) what->right->reply(*word_of(idle ? "terminating" : "busy"));
        if (idle) of_.terminate();
      } else if (auto* order = order_of(op)) {
        (*order)(*what->message);
        if (what->right) what->right->reply(*word_of("done"));
      } else if (what->right) {
        what->right->fail(connection::make_error(
            OPENXPC_ERROR_UNKNOWN_METHOD, "the service link knows no \"" + std::string(op) + "\""));
      }
    }
    void subscribed(base::ref<connection::incoming>) override {}
    void interrupted(const connection::error_ref&) override { of_.come_back(); }
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
    report_ = engine::timer(engine::any_loop(), [this] { report_transactions(); });
    connection::tell_next_transaction([this] { report_.schedule(base::from_now(report_pause)); });
  }

  /// At most once a second, and nothing while nothing changes.
  void report_transactions() {
    connection::tell_next_transaction([this] { report_.schedule(base::from_now(report_pause)); });
    const auto now = static_cast<std::int64_t>(connection::transaction_count());
    if (reported_.exchange(now) == now) return;
    auto word = word_of("transactions");
    word->set("count", object::make_int64(now));
    (void)talk_->send(*word);
  }

  void come_back() {
    greet("check-in-again");
    bool drained;
    {
      std::lock_guard lock(mutex_);
      drained = drained_;
    }
    // The manager that was told may be gone.
    if (drained) (void)talk_->send(*word_of("drained"));
    reported_ = -1;
    report_.schedule(base::from_now(report_pause));
    std::vector<const base::function<void()>*> interested;
    {
      std::lock_guard lock(all_subscribers().mutex);
      for (auto& each : all_subscribers().returns) interested.push_back(&each);
    }
    for (auto* each : interested) (*each)();
  }

  /// Says who we are; again after the service manager was replaced, then with our sockets.
  void greet(const char* verb) {
    auto hello = word_of(verb);
    auto sockets = object::dictionary::create();
    for (const std::string& name : inherited_names())
      if (base::fd socket = inherited_listener(name))
        sockets->set(name, base::make_ref<object::descriptor>(
                               base::make_ref<object::shared_fd>(std::move(socket))));
    hello->set("sockets", sockets);
    std::map<std::string, base::ref<object::array>> entries;
    for (auto& [name, socket] : inherited_entries()) {
      base::ref<object::array>& all = entries[name];
      if (!all) all = object::array::create();
      all->append(
          base::make_ref<object::descriptor>(base::make_ref<object::shared_fd>(std::move(socket))));
    }
    if (!entries.empty()) {
      auto by_name = object::dictionary::create();
      for (auto& [name, all] : entries) by_name->set(name, all);
      hello->set("entries", by_name);
    }
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
    (void)talk_->send(*word_of("drained"));
    end_unless_program_does();
  }

  static constexpr std::chrono::seconds report_pause{1};

  base::ref<conversation> talk_;
  engine::timer report_;
  std::atomic<std::int64_t> reported_{-1};
  std::once_flag checked_in_;
  std::mutex mutex_;
  std::vector<base::ref<connection::listener>> listeners_;
  std::size_t left_ = 0;
  bool drained_ = false;
};

}  // namespace

void check_in() {
  tell_unit_ready();
  if (auto* link = service_link::get()) link->check_in();
}

bool is_linked() {
  auto* link = service_link::get();
  if (link && inherited_names().empty()) link->check_in();
  return link != nullptr;
}

base::ref<object::dictionary> word_of(const char* verb) {
  auto made = object::dictionary::create();
  made->set("op", object::string::copy_of(verb));
  return made;
}

void tell_manager(object::dictionary& word) {
  if (auto* link = service_link::get()) (void)link->talk().send(word);
}

void ask_manager(object::dictionary& word,
                 base::function<void(base::ref<object::dictionary>)> answered) {
  auto* link = service_link::get();
  if (!link) {
    engine::post([answered = std::move(answered)] { answered(nullptr); });
    return;
  }
  auto call = link->talk().request(word, base::never);
  call->then([answered = std::move(answered)](
                 base::ref<object::dictionary> reply,
                 const connection::error_ref&) { answered(std::move(reply)); },
             nullptr);
}

base::ref<object::dictionary> ask_manager_and_wait(object::dictionary& word) {
  base::ref<object::dictionary> reply;
  if (auto* link = service_link::get()) (void)link->talk().request(word, base::never)->wait(reply);
  return reply;
}

void on_order(const char* verb, base::function<void(object::dictionary&)> told) {
  std::lock_guard lock(all_subscribers().mutex);
  all_subscribers().orders.try_emplace(verb, std::move(told));
}

void when_link_came_back(base::function<void()> told) {
  std::lock_guard lock(all_subscribers().mutex);
  all_subscribers().returns.push_back(std::move(told));
}

void expect_named_listener() { (void)service_link::get(); }

void add_named_listener(base::ref<connection::listener> added) {
  tell_unit_ready();
  if (auto* link = service_link::get()) link->add(std::move(added));
}

}  // namespace openxpc::bootstrap
