#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "job/outcome.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace openxpc::handover {

/// Asks a program whether it could go on from here: runs it with --check-state and the state, and
/// reads what it says. One at a time.
class checker {
 public:
  /// The version that the program says it has, or why it is no program to become.
  using verdict = base::function<void(outcome<std::string>)>;

  explicit checker(asio::io_context& loop) : timer_(loop) {}
  ~checker();
  checker(const checker&) = delete;
  checker& operator=(const checker&) = delete;

  /// @param arguments  argv, to which --check-state and the state are added
  /// @param patience   then it is killed, and found unfit
  /// @param judged     called on the loop, unless this fails. Errors: it cannot be started.
  failure_of start(int borrowed_program, std::vector<std::string> arguments, int borrowed_state,
                   std::chrono::seconds patience, verdict judged);
  /// The child that start() made; 0 when there is none.
  pid_t pid() const noexcept { return pid_; }
  /// Call when it was reaped. @param status  as wait(2) gives it
  void ended(int status);

 private:
  outcome<std::string> judge(int status) const;

  asio::steady_timer timer_;
  std::chrono::seconds patience_{};
  pid_t pid_ = 0;
  base::fd said_, complained_;
  bool late_ = false;
  verdict judged_;
};

/// What a fit program prints to standard output, before anything else: "xpcd VERSION can take N
/// jobs over".
std::string words_of_the_fit(std::size_t jobs);

}  // namespace openxpc::handover
