#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace manager_bench {

[[noreturn]] void give_up(const std::string& what);
double seconds_since_boot();

/// A process started by the benchmark; ended and waited for at its end.
class process {
 public:
  /// @param said  its standard error comes to read_line() when 2, its standard output when 1.
  process(const std::vector<std::string>& arguments, int said);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();
  pid_t pid() const { return pid_; }
  /// The next line; gives up at the end.
  std::string read_line();
  void end();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string pending_;
};

/// What the kernel counts of a process.
struct counts {
  double pss_kib = 0;
  long long switches = 0;  ///< context switches of all its threads
  std::size_t descriptors = 0;
};
counts look_at(pid_t process);
/// Memory of the kernel's own objects on the whole machine, in KiB.
double kernel_kib();

/// A directory of its own, removed at the end.
class directory {
 public:
  directory();
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// This program, and the others of its build.
std::string program_beside(const std::string& name);

/// What both service managers start: serves its one socket until it is asked to exit.
int serve(const std::string& name);

/// Connects to the file of a socket, sends one request and takes its reply. @return seconds.
double first_reply(const std::string& path, bool then_exit);

/// A plain socket and its server, the floor of connecting; and how long so many connections take.
double plain_connects(const std::string& path, int count);
/// The same through the library. The service must be running.
double connects(const std::string& path, int count);

/// Writes the configuration of a bus into a directory. @return its address.
std::string bus_address(const std::string& directory, const std::string& program,
                        const std::string& name);
/// A method call to a name that nobody owns yet, and its reply. @return seconds, from the call on:
/// the client is on the bus before.
double first_reply_over_bus(const std::string& address, const std::string& name);
/// What the bus starts: takes the name and answers calls until the bus is gone.
int serve_on_bus(const std::string& name);

}  // namespace manager_bench
