#pragma once

#include "base/function.hpp"

#include <asio/io_context.hpp>

#include <chrono>

namespace openxpc::dispatch {

/// The thread that waits for clocks, descriptors and signals. Whatever is called on it must be
/// short.
class manager {
 public:
  /// Made, with its thread, at the first use.
  static manager& get();
  static bool is_running() noexcept;

  asio::io_context& context() noexcept { return context_; }
  /// Runs `what` on the manager's thread; in the order of the calls.
  void post(base::function<void()> what);
  void after(std::chrono::nanoseconds delay, base::function<void()> what);

 private:
  manager();
  static void* entry(void* self);
  asio::io_context context_{1};
};

}  // namespace openxpc::dispatch
