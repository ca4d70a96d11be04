#pragma once

#include "base/fd.hpp"
#include "supervise/bounded_look.hpp"
#include "supervise/given_files.hpp"
#include "supervise/program.hpp"
#include "supervise/spawn.hpp"
#include "supervise/upgrade.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A start under way. Nearly all are over as soon as they begin. Where files are on file systems of
/// others its steps are looks (bounded_look.hpp), and so is the exec itself, for which the thread
/// that makes the process waits: its program, found a moment ago, may never be read.
namespace openxpc::supervise {

/// What makes the process. Once it is handed to another thread it is that thread's.
struct process_order {
  std::string label;  // of the job
  program what;
  spawn_plan plan;
  helper_process born = std::make_shared<std::atomic<pid_t>>(0);

  /// Makes it independent of what the loop has: until then the plan's descriptors are lent.
  failure_of own();

 private:
  std::vector<base::fd> owned_;
};

/// A process that nobody has taken yet: it ends with this.
class untaken_process {
 public:
  explicit untaken_process(spawned it) : it_(std::move(it)) {}
  ~untaken_process();
  untaken_process(untaken_process&&) = default;
  untaken_process& operator=(untaken_process&&) = delete;
  spawned take() { return std::move(it_); }

 private:
  spawned it_;
};

/// What a start has come to. The loop's.
struct launching {
  std::shared_ptr<process_order> order = std::make_shared<process_order>();
  std::optional<credentials> owner;  // of what it writes
  program_image image;
  base::fd root, enclosed;
  std::shared_ptr<given_files> files = std::make_shared<given_files>();
  job_cgroup group;
  std::unique_ptr<candidate> beside;  // the next version, with sockets of its own; nullptr: what
                                      // starts gets the job's names
};

}  // namespace openxpc::supervise
