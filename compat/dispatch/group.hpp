#pragma once

#include "base/clock.hpp"

#include <atomic>
#include <mutex>
#include <vector>

#include "dispatch/queue.hpp"

namespace openxpc::dispatch {

class group final : public object {
 public:
  static constexpr kind is = kind::group;
  group() : object(is) {}

  void enter() noexcept;
  void leave(const char* caller);
  bool wait(base::instant deadline) noexcept;
  void notify(queue& where, item& one);
  /// Work that leaves the group when it has run.
  void async(queue& where, void* context, dispatch_function_t function);

 private:
  struct notice {
    held<queue> where;
    item* what;
  };
  std::mutex lock_;
  std::uint64_t inside_ = 0;
  std::vector<notice> notices_;
  std::atomic<std::uint32_t> emptied_{0};  // how often it became empty
};

}  // namespace openxpc::dispatch
