#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "dispatch/attribute.hpp"
#include "dispatch/queue.hpp"

namespace openxpc::dispatch {

/// A queue that lets items through to another queue: serial (one at a time) or concurrent (all up
/// to the next barrier).
class lane final : public queue {
 public:
  /// @param target retained.
  lane(std::string label, const attribute& how, queue& target, bool counts = true);

  void push(item& one) override;
  void sync(void* context, dispatch_function_t function, bool barrier, const char* caller) override;
  queue* target() const noexcept override { return target_.load(std::memory_order_acquire); }
  bool serial() const noexcept override { return serial_; }
  int relative_priority() const noexcept { return relative_priority_; }

  void activate() override;
  void suspend(const char* caller) override;
  void resume(const char* caller) override;
  void set_target(queue* target, const char* caller) override;
  bool is_inactive() noexcept;

 protected:
  ~lane() override;
  void abandoned(const char* caller) override;
  queue* finalizer_queue() noexcept override;

 private:
  struct drain_item final : item {
    explicit drain_item(lane& l) noexcept : item(&drain_item::go), on(l) {}
    static void go(item* self) { static_cast<drain_item*>(self)->on.drain(); }
    lane& on;
  };
  struct shared_item;
  struct waiter;

  bool barrier_at_head() const noexcept { return serial_ || items_.head->barrier; }
  void append(item& one);
  void pump_locked();
  void drain();
  void leave(bool alone) noexcept;
  void run(item& one, bool alone);

  const bool serial_;
  const int relative_priority_;
  std::atomic<queue*> target_;
  std::mutex lock_;
  // Guarded by lock_:
  item_list items_;
  bool alone_ = false;      // one item has the lane for itself, or a drain is under way
  unsigned shared_ = 0;     // items that run side by side
  unsigned suspended_ = 0;  // being inactive counts as one
  bool inactive_;
  queue* next_target_ = nullptr;  // set while something ran; owned
  std::vector<queue*> former_;    // frames may still walk over them; owned
  drain_item drain_{*this};       // waits in the target while alone_ is true and nothing runs
};

}  // namespace openxpc::dispatch
