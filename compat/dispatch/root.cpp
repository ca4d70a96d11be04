#include "dispatch/root.hpp"

#include "base/futex.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "dispatch/bug.hpp"
#include "dispatch/lane.hpp"
#include "dispatch/pool.hpp"
#include "dispatch/sleep.hpp"

struct dispatch_queue_s_name {
  char unused[16];
};
extern "C" {
extern
    __attribute__((visibility("default"))) dispatch_queue_s_name main_name asm("_dispatch_main_q");
dispatch_queue_s_name main_name{};
}

namespace openxpc::dispatch {
namespace {

/// A global queue: hands everything to the pool.
class pool_root final : public queue {
 public:
  pool_root(const char* label, dispatch_qos_class_t qos, unsigned level)
      : queue(label, qos, false), level_(level) {}
  void push(item& one) override { pool::get().push(one, *this, level_); }
  void sync(void* context, dispatch_function_t function, bool, const char*) override {
    frame here(*this, false);
    function(context);
  }

 private:
  const unsigned level_;
};

/// What the main queue targets: the main thread's list.
class main_root final : public queue {
 public:
  main_root() : queue("main-thread", QOS_CLASS_USER_INTERACTIVE, false) {}

  void push(item& one) override {
    {
      std::lock_guard guard(lock_);
      items_.append(one);
    }
    posted_.fetch_add(1, std::memory_order_release);
    base::futex_wake(posted_);
  }

  void sync(void* context, dispatch_function_t function, bool, const char*) override {
    struct call final : item {
      call(void* c, dispatch_function_t f) noexcept : item(&call::go), context(c), function(f) {}
      static void go(item* self) {
        auto& mine = *static_cast<call*>(self);
        mine.function(mine.context);
        mine.finished.store(1, std::memory_order_release);
        base::futex_wake(mine.finished);  // needs the address only
      }
      void* const context;
      const dispatch_function_t function;
      std::atomic<std::uint32_t> finished{0};
    };
    call mine(context, function);
    push(mine);
    sleep_while(mine.finished, 0);
  }
  bool serial() const noexcept override { return true; }

  [[noreturn]] void run() {
    for (;;) {
      std::uint32_t seen = posted_.load(std::memory_order_acquire);
      item_list now;
      {
        std::lock_guard guard(lock_);
        std::swap(now, items_);
      }
      if (!now.head) sleep_while(posted_, seen);
      frame here(*this, true);
      while (now.head) {
        item& one = now.take();
        one.run(&one);
      }
    }
  }

 private:
  std::mutex lock_;
  item_list items_;
  std::atomic<std::uint32_t> posted_{0};
};

// Made at the first use and never destroyed: work may run until the process ends.
struct roots {
  main_root main_thread;
  pool_root background{"root.background-qos", QOS_CLASS_BACKGROUND, 0};
  pool_root utility{"root.utility-qos", QOS_CLASS_UTILITY, 1};
  pool_root normal{"root.default-qos", QOS_CLASS_DEFAULT, 2};
  pool_root initiated{"root.user-initiated-qos", QOS_CLASS_USER_INITIATED, 3};
  pool_root interactive{"root.user-interactive-qos", QOS_CLASS_USER_INTERACTIVE, 4};
  lane* main = new lane("main-thread", attribute{}, main_thread, false);
};
roots& all() {
  static roots* made = new roots;
  return *made;
}

}  // namespace

queue* global_queue(dispatch_qos_class_t qos) noexcept {
  roots& r = all();
  switch (qos) {
    case QOS_CLASS_BACKGROUND:
      return &r.background;
    case QOS_CLASS_UTILITY:
      return &r.utility;
    case QOS_CLASS_UNSPECIFIED:
    case QOS_CLASS_DEFAULT:
      return &r.normal;
    case QOS_CLASS_USER_INITIATED:
      return &r.initiated;
    case QOS_CLASS_USER_INTERACTIVE:
      return &r.interactive;
    default:
      return nullptr;
  }
}

queue& default_queue() noexcept { return all().normal; }
queue& main_queue() noexcept { return *all().main; }

bool on_main_thread() noexcept {
  static thread_local const bool is = ::syscall(SYS_gettid) == ::getpid();
  return is;
}

void run_main() {
  if (!on_main_thread()) client_bug("dispatch_main", "called on a thread that is not the main one");
  all().main_thread.run();
}

}  // namespace openxpc::dispatch
