#pragma once

#include <xpc/xpc.hpp>

#include <string>
#include <vector>

#include "event.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fswatch {

/// What is asked of the history; zero and empty mean "no bound".
struct question {
  std::int64_t after_id = 0;
  std::chrono::system_clock::time_point since{}, until{};
  std::string glob;  ///< SQLite's GLOB over the path; '*' crosses '/'
  std::int64_t limit = 100;
};

/// Events in an SQLite database. Threads: one at a time.
class history {
 public:
  static xpc::result<history> open(const std::string& file);
  history(history&& other) noexcept;
  history& operator=(history&&) = delete;
  ~history();

  /// Stores all in one transaction and gives each its id.
  xpc::result<void> store(std::vector<event>& events);
  /// In the order of the ids.
  xpc::result<std::vector<event>> query(const question& what);
  xpc::result<std::int64_t> count();

  /// The trees to watch after a restart.
  xpc::result<std::vector<std::string>> trees();
  xpc::result<void> remember(const std::string& tree);
  xpc::result<void> forget(const std::string& tree);

 private:
  explicit history(sqlite3* database) : database_(database) {}
  xpc::result<sqlite3_stmt*> prepare(const char* text);
  xpc::result<void> change(const char* text, const std::string& tree);
  xpc::failure fault(const std::string& doing) const;

  sqlite3* database_;
  sqlite3_stmt* insert_ = nullptr;
  std::int64_t next_id_ = 1;
};

}  // namespace fswatch
