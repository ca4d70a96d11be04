#pragma once

#include <xpc/xpc.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "history.hpp"
#include "rules.hpp"
#include "watcher.hpp"

namespace fswatch {

/// Brings the parts together: what the watcher sees and the rules let pass is stored first and sent
/// to the subscribers then, so that nobody hears of an event that the history does not have.
class service {
 public:
  service(rules which, history past);
  ~service();

  /// Watches again what was watched before a restart.
  xpc::result<void> resume();
  xpc::result<xpc::dictionary> answer(const xpc::dictionary& question);
  void subscribe(xpc::subscription who);

 private:
  void seen(event what);
  void store();
  xpc::result<xpc::dictionary> query(const xpc::dictionary& what);
  xpc::dictionary status();

  /// What may wait between the kernel and the database. Beyond it the watcher waits, the kernel's
  /// own queue fills, and if that overflows an event says so: memory is bounded and no loss is
  /// silent.
  static constexpr std::size_t waiting_most = 200'000;
  static constexpr std::size_t stored_at_once = 2'000;
  /// What may wait for one slow subscriber; then its oldest rows are dropped, and counted.
  static constexpr std::size_t buffer_bytes = 16 << 20;

  const rules rules_;
  std::mutex history_mutex_;
  history past_;
  xpc::broadcast<xpc::dictionary> live_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<event> waiting_;
  std::uint64_t read_ = 0, filtered_ = 0, stored_ = 0, sent_ = 0;
  std::optional<xpc::failure> trouble_;
  bool stopping_ = false;
  std::thread storer_;
  std::unique_ptr<watcher> files_;
};

}  // namespace fswatch
