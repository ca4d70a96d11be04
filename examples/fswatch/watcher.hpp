#pragma once

#include <xpc/xpc.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "event.hpp"

namespace fswatch {

/// Watches whole directory trees. One thread reads the kernel's events and hands each to `seen`, in
/// order; add() and remove() may be called from any thread.
class watcher {
 public:
  explicit watcher(std::function<void(event)> seen);
  ~watcher();

  /// Watches a tree from now on; what is there already is reported as found before this returns.
  xpc::result<void> add(const std::string& tree);
  /// Stops watching a tree.
  xpc::result<void> remove(const std::string& tree);
  std::vector<std::string> trees() const;
  std::uint64_t overflows() const;

 private:
  struct moved_away {
    std::string path;
    bool directory;
  };
  void run();
  void handle(const char* buffer, std::size_t size);
  void handle_one(int watch, std::uint32_t mask, std::uint32_t cookie, const char* name);
  /// Watches `directory` and all below it, reporting what is not known yet as `as`.
  void take_in(const std::string& directory, kind as);
  void forget_below(const std::string& directory);
  void rename_below(const std::string& from, const std::string& to);
  void settle_moves();
  void look_again();
  void tell(kind what, const std::string& path, bool directory, const std::string& from = {});
  bool watch(const std::string& directory);

  const std::function<void(event)> seen_;
  mutable std::mutex mutex_;
  int inotify_ = -1;
  int wake_ = -1;
  std::unordered_map<int, std::string> directory_of_;
  std::map<std::string, int> watch_of_;
  std::set<std::string>
      known_;  ///< every path below the trees: tells new from old after a race or an overflow
  std::set<std::string> trees_;
  std::map<std::uint32_t, moved_away> moves_;
  std::uint64_t overflows_ = 0;
  std::thread thread_;
};

}  // namespace fswatch
