#pragma once

namespace openxpc::engine {

/// "This thread is about to sleep." When it runs a callback of the engine, its loop moves to a
/// spare thread at once, so that other connections are served meanwhile; elsewhere it costs a look
/// at a thread-local variable. The callback goes on without a loop afterwards (current_loop() is
/// null), and its thread becomes a spare when it returns. A callback that forgets this, or only
/// computes for long, loses its loop after 5 to 10 ms. When all 512 threads are taken the loop
/// stays where it is until one is free.
class blocking_region {
 public:
  blocking_region() noexcept;
  blocking_region(const blocking_region&) = delete;
  blocking_region& operator=(const blocking_region&) = delete;
  ~blocking_region() = default;
};

/// The most threads the engine has at any time, those that run loops included.
inline constexpr unsigned threads_limit = 512;

}  // namespace openxpc::engine
