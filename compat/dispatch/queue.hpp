#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "dispatch/object.hpp"

namespace openxpc::dispatch {

/// A piece of work in a list. Whoever takes it out calls run(item), which also sees to its storage.
struct item {
  explicit item(void (*r)(item*), bool alone = false) noexcept : run(r), barrier(alone) {}
  item* next = nullptr;
  void (*const run)(item*);
  const bool barrier;
};

/// A function and its context as an item on the heap.
struct work final : item {
  work(void* c, dispatch_function_t f, bool alone = false) noexcept
      : item(&work::go, alone), context(c), function(f) {}
  void* const context;
  const dispatch_function_t function;

 private:
  static void go(item* self);
};

/// Items in order.
struct item_list {
  item* head = nullptr;
  item* tail = nullptr;
  void append(item& one) noexcept {
    one.next = nullptr;
    (tail ? tail->next : head) = &one;
    tail = &one;
  }
  item& take() noexcept {
    item& first = *head;
    head = first.next;
    if (!head) tail = nullptr;
    return first;
  }
};

class queue : public object {
 public:
  static constexpr kind is = kind::queue;
  queue(std::string label, dispatch_qos_class_t qos, bool counts)
      : object(is, counts), label_(std::move(label)), qos_(qos) {}

  /// Takes an item; items start in the order of the calls.
  virtual void push(item& one) = 0;
  /// Runs the function on this queue and returns when it is done.
  virtual void sync(void* context, dispatch_function_t function, bool barrier,
                    const char* caller) = 0;
  /// The next queue on the way to the root, lent as long as this queue lives; null for a root.
  virtual queue* target() const noexcept { return nullptr; }
  /// True when one piece of work at a time runs here.
  virtual bool serial() const noexcept { return false; }

  void async(void* context, dispatch_function_t function, bool barrier = false) {
    push(*new work(context, function, barrier));
  }
  const std::string& label() const noexcept { return label_; }
  dispatch_qos_class_t qos() const noexcept { return qos_; }

  void set_specific(const void* key, void* context, dispatch_function_t destructor);
  void* specific(const void* key) noexcept;

 protected:
  ~queue() override;

 private:
  struct specific_value {
    const void* key;
    void* context;
    dispatch_function_t destructor;
  };
  static void drop(const specific_value& value);

  const std::string label_;
  const dispatch_qos_class_t qos_;
  std::mutex specifics_lock_;
  std::vector<specific_value> specifics_;
};

/// Says, as long as it lives, that the calling thread works on a queue.
class frame {
 public:
  frame(queue& on, bool alone) noexcept;
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  ~frame();

  /// The queue that the caller works on; the main queue on the main thread; else null.
  static queue* current() noexcept;
  /// Whether the caller works on that queue or on one that targets it, in any of its frames.
  static bool holds(const queue& which) noexcept;
  /// The same, and nothing else can run on it meanwhile.
  static bool holds_alone(const queue& which) noexcept;

 private:
  queue& at_;
  frame* const outer_;
  const bool alone_;
};

}  // namespace openxpc::dispatch
