#pragma once

#include "base/fd.hpp"

#include <sys/types.h>

#include <atomic>
#include <thread>

namespace attack {

/// A kernel that refuses: every system call of a program that could fail for want of something goes
/// past here, and one of them gets an error instead.
/// Threads: arm() and count() from the test's; a thread of its own answers.
class faulty_kernel {
 public:
  /// @param listener  the notification descriptor that confine() gave, from the program.
  explicit faulty_kernel(openxpc::base::fd listener);
  ~faulty_kernel();
  faulty_kernel(const faulty_kernel&) = delete;

  /// From now on the calls of this thread are counted; the one with this number, from 0 on, fails.
  /// @param number  -1: none does.
  void arm(pid_t thread, int number, int error);
  /// Lets everything pass. @return how many calls were counted since arm().
  int disarm();

 private:
  void answer_all();

  openxpc::base::fd listener_, stop_;
  std::atomic<pid_t> thread_{0};
  std::atomic<int> seen_{0}, fails_{-1}, error_{0};
  std::thread answers_;
};

/// For the program, before it becomes what is to be tested: the notification descriptor, or -1 with
/// errno.
int confine();

/// Hands a descriptor over a socket, and takes it.
bool send_descriptor(int socket, int borrowed_fd);
openxpc::base::fd take_descriptor(int socket);

}  // namespace attack
