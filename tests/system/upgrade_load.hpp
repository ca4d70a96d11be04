#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "system/manager.hpp"

/// Clients that go on calling, sending and listening while the service is replaced, and the account
/// of what became of each of their messages and of each event.
namespace system_test {

class clients {
 public:
  struct mix {
    int callers = 0;          // that hold their conversation as long as it lasts
    bool sender = false;      // one that sends messages in one direction
    bool subscriber = false;  // one connection that subscribes anew after each interruption
  };
  /// Beside those there is a caller that makes a new conversation for each call.
  clients(const manager& xpcd, std::string name, mix which);
  ~clients();

  /// Waits until every client has got somewhere since this was called; throws when one is stuck.
  void wait_for_progress();
  /// Ends them, then compares with the ids that the service wrote to `file`: a request that was
  /// answered was handled once, any other one never; of what was sent in one direction everything
  /// that left the client was handled once and in its order, and nothing else; each subscription
  /// got the events that the service says it told it, or was told how many it missed, up to where
  /// it was cut off. @return what is wrong, a line each
  std::vector<std::string> finish(const std::string& file);
  std::int64_t answered() const { return answered_count_; }
  /// Subscriptions that got an event, once all is over.
  std::int64_t subscriptions() const;

 private:
  struct worker {
    std::atomic<std::int64_t> steps{0};
    std::thread thread;
  };
  /// What a subscription learned before its end.
  struct heard {
    std::uint64_t known = 0;  // events that came or were said to be missed
    bool to_its_end = false;  // the service ended it: nothing may be lost in between
  };
  void start(void (clients::*work)(worker&));
  void call_on(worker& self);
  void call_anew(worker& self);
  void send_on(worker& self);
  void listen_on(worker& self);
  void read_events(worker& self, openxpc_stream_t events, std::int64_t token);
  session call_once(worker& self, session own);
  void complain(std::string what);
  void account_for_events(const std::string& file);
  void stop();

  const manager& xpcd_;
  const std::string name_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> next_id_{1}, answered_count_{0};
  std::mutex lock_;
  std::set<std::int64_t> answered_;
  std::vector<std::vector<std::int64_t>> sent_;  // what left in each conversation, in order
  std::map<std::int64_t, heard> heard_;          // by subscription
  openxpc_stream_t reading_ = nullptr;
  std::vector<std::string> wrong_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace system_test
