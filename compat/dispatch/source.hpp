#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "dispatch/lane.hpp"
#include "dispatch/watch.hpp"

namespace openxpc::dispatch {

/// A handler: a function that gets the source's context, or a block.
class handler {
 public:
  handler() noexcept = default;
  static handler of_function(dispatch_function_t function) noexcept;
  /// Copies the block; null is no handler.
  static handler of_block(void* block);
  handler(handler&& other) noexcept;
  handler& operator=(handler&& other) noexcept;
  ~handler();
  explicit operator bool() const noexcept { return function_ || block_; }
  void call(void* context) const;

 private:
  dispatch_function_t function_ = nullptr;
  void* block_ = nullptr;
};

/// What dispatch_source_create() makes: a watch on the manager's thread, and a serial lane on which
/// the handlers run.
class source final : public object {
 public:
  static constexpr kind is = kind::source;
  source(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask, queue& target);

  uintptr_t handle() const noexcept { return handle_; }
  uintptr_t mask() const noexcept { return mask_; }
  uintptr_t data() const noexcept { return data_.load(std::memory_order_relaxed); }
  dispatch_source_type_t type() const noexcept { return type_; }
  bool canceled() const noexcept { return canceled_.load(std::memory_order_acquire); }
  queue& lane_for_handlers() noexcept { return *lane_; }

  void set_event_handler(handler h) { set(event_handler_, std::move(h)); }
  void set_cancel_handler(handler h) { set(cancel_handler_, std::move(h)); }
  void set_registration_handler(handler h) { set(registration_handler_, std::move(h)); }
  void set_timer(dispatch_time_t start, uint64_t interval);
  void cancel();

  /// Something happened: from the watch, or from the program.
  void merge(uintptr_t value);

  void activate() override;
  void suspend(const char* caller) override { lane_->suspend(caller); }
  void resume(const char* caller) override;
  void set_target(queue* target, const char* caller) override { lane_->set_target(target, caller); }

 protected:
  ~source() override = default;
  void abandoned(const char* caller) override;
  queue* finalizer_queue() noexcept override;

 private:
  using shared_handler = std::shared_ptr<const handler>;
  void set(shared_handler& where, handler&& h);
  shared_handler get(const shared_handler& from);
  void deliver();
  void end(bool tell);

  const dispatch_source_type_t type_;
  const uintptr_t handle_, mask_;
  held<lane> lane_;
  std::mutex lock_;  // for the handlers
  shared_handler event_handler_, cancel_handler_, registration_handler_;
  std::atomic<uintptr_t> pending_{0}, data_{0};
  std::atomic<bool> queued_{false}, canceled_{false}, activated_{false};
  std::atomic<std::uint64_t> timer_round_{0};  // set_timer() drops what earlier rounds brought
  std::unique_ptr<watch> watch_;               // the manager's thread only
};

}  // namespace openxpc::dispatch
