#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "system/manager.hpp"

/// Clients that go on calling and streaming while the service is replaced, and the account of what
/// became of each of their messages.
namespace system_test {

class clients {
 public:
  /// @param callers  that hold their conversation as long as it lasts; beside them one makes a new
  /// one for each call, and another one, if wanted, sends messages in one direction
  enum class kind : unsigned char { callers, callers_and_a_stream };
  clients(const manager& xpcd, std::string name, int callers, kind which);
  ~clients();

  /// Waits until every client has got somewhere since this was called; throws when one is stuck.
  void wait_for_progress();
  /// Ends them, then compares with the ids that the service wrote to `file`: a request that was
  /// answered was handled once, any other one never; of the stream everything that left the client
  /// was handled once and in its order, and nothing else. @return what is wrong, a line each
  std::vector<std::string> finish(const std::string& file);
  std::int64_t answered() const { return answered_count_; }

 private:
  struct worker {
    std::atomic<std::int64_t> steps{0};
    std::thread thread;
  };
  void call_on(worker& self, bool always_new);
  void stream_on(worker& self);
  void stop();

  const manager& xpcd_;
  const std::string name_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> next_id_{1}, answered_count_{0};
  std::mutex lock_;
  std::set<std::int64_t> answered_;
  std::vector<std::vector<std::int64_t>> streamed_;  // what left in each conversation, in order
  std::vector<std::string> wrong_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace system_test
