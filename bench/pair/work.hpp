#pragma once

#include <cstdint>
#include <string>

namespace pair_bench {

/// What is measured; each is done by the floor and by XPC.
enum class job : std::uint8_t {
  call,      ///< synchronous calls: five keys there, one number back
  pipeline,  ///< the same, 64 under way at once
  rows,      ///< one-way event rows from the service to the client
  bulk,      ///< `size` bytes and an acknowledgement
  connect,   ///< connect, first reply, close
  crowd,     ///< eight clients of one service at once
};

/// Where the two processes may run.
enum class placing : std::uint8_t { same, split, free };

struct order {
  job what = job::call;
  std::uint64_t count = 0;
  std::uint64_t size = 0;  ///< bulk only
};

inline constexpr int pipeline_depth = 64;
inline constexpr int crowd_clients = 8;

/// The service: serves until the other end of `control_fd` goes away. Says over it how to reach it,
/// first.
void serve_floor(int control_fd);
void serve_ours(int control_fd);

/// The client: does the work and returns the seconds it took. Every reply and row is checked; a
/// wrong one ends the process.
double drive_floor(int control_fd, const order& what);
double drive_ours(int control_fd, const order& what);

[[noreturn]] void give_up(const char* what);

}  // namespace pair_bench
