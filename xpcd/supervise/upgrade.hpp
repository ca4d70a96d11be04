#pragma once

#include "base/function.hpp"
#include "domain/directory.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"
#include "supervise/supervised.hpp"

#include <asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::supervise {

/// A new version on its way: a process beside the one that has the names, with listening sockets of
/// its own, which nobody can reach before it has checked in.
struct candidate {
  explicit candidate(asio::io_context& loop) : run(loop) {}
  explicit candidate(job_run of) : run(std::move(of)) {}
  job_run run;
  std::vector<domain::bound_name> sockets;  // one for each of the job's names, in their order
  std::uint64_t generation = 0;
};

/// A process that once had the names, or did not live up to them. It ends its conversations and
/// itself; when its time is over it is killed.
struct retired_run {
  retired_run(asio::io_context& loop, job_run of) : run(std::move(of)), time(loop) {}
  job_run run;
  asio::steady_timer time;
};

/// What a job needs for going to a new version and back. Only jobs of which a process checked in,
/// or that were upgraded, have one.
struct upgrades {
  program_image held;      // the executable that checked in last
  file_identity on_trial;  // the last one that was started without being that
  std::optional<file_identity>
      rejected;  // as long as the file is this one, the held one is started
  std::unique_ptr<candidate> next;
  std::list<retired_run> retired;
  bool forget_when_retired = false;  // the job was removed, and waits for them

  /// The verb: who waits for its end, and what it will be told.
  std::vector<base::function<void(outcome<object_ref>)>> waiting;
  bool looking = false;  // at the file that is at the program's path
  /// Running while the verb waits to see whether the process checks in.
  std::unique_ptr<asio::steady_timer> undecided;
  std::string result;
  std::string failure;      // why the new version is not the one that serves; empty: it is
  std::string rolled_back;  // the same of the last time, for people, until a version checks in
};

}  // namespace openxpc::supervise
