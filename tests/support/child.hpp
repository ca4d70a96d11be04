#pragma once

#include "base/fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace xpc_testing {

/// How a process ended: one of the two numbers is meaningful.
struct ending {
  int status = -1;  ///< exit status, -1 when a signal ended it
  int signal = 0;   ///< the signal, 0 when it exited by itself
  friend bool operator==(const ending&, const ending&) = default;
};

struct child_options {
  std::vector<std::string> arguments = {};  ///< what the role or program gets, without its own name
  std::vector<std::string> environment =
      {};  ///< "NAME=value" sets, "NAME" removes; the rest is inherited
  std::vector<int> borrowed_fds =
      {};  ///< arrive as descriptors 3, 4, ... in this order; nothing else is inherited
  std::string directory = {};  ///< working directory; empty: ours
  bool keep_stderr =
      false;  ///< true: standard error goes to child::error_text() instead of the log of the test
};

/// A process started by a test, with pipes to its standard input and output. Destroying it kills
/// and reaps it; it also dies with the thread that started it, so no test leaves processes behind.
/// R: move-only, one thread. Every wait throws std::runtime_error when patience ends.
class child {
 public:
  /// This test program again, as the role that XPC_TEST_ROLE(name) defines.
  static child role(const std::string& name, const child_options& options = {});
  /// Any program, by path.
  static child program(const std::string& path, const child_options& options = {});

  child(child&& other) noexcept;
  child& operator=(child&&) = delete;
  ~child();

  pid_t pid() const noexcept { return pid_; }
  int borrowed_pidfd() const noexcept { return pidfd_.get(); }

  /// The next line of its standard output, without the newline; nothing at its end.
  std::optional<std::string> read_line();
  /// Reads one line and throws, with what came instead, unless it is this one.
  void expect_line(const std::string& line);
  /// All that is left of its standard output, to its end.
  std::string read_all();
  void write_line(const std::string& line);
  void close_input() { input_.reset(); }

  void kill(int signal);
  bool alive() const;
  /// Waits for the end and reaps.
  ending wait();
  /// What it printed to standard error so far; needs keep_stderr.
  std::string error_text() const;

 private:
  child() = default;
  static child start(std::vector<std::string> arguments, const child_options& options);
  bool fill();

  pid_t pid_ = -1;
  openxpc::base::fd pidfd_, input_, output_, error_;
  std::string pending_;
  std::optional<ending> ended_;
};

/// What a program that ran to its end did.
struct run_result {
  ending end;
  std::string output, error;
};
/// Runs a program with `input` as its standard input (small: it is written before anything is read)
/// and waits for it.
run_result run(const std::string& path, child_options options = {}, const std::string& input = {});

/// The program that contains the running test.
std::string this_program();

}  // namespace xpc_testing
