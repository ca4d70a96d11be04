#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "domain/directory.hpp"
#include "job/description.hpp"
#include "job/object.hpp"
#include "supervise/cgroup.hpp"
#include "supervise/image.hpp"
#include "supervise/job_link.hpp"
#include "supervise/process.hpp"
#include "supervise/socket_file.hpp"
#include "supervise/state.hpp"
#include "supervise/throttle.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What the supervisor keeps about one job. Belongs to the supervisor's thread.
namespace openxpc::supervise {

struct private_place;

/// A descriptor that the loop watches. The loop knows it only while it is watched: a listening
/// socket is shared with its service, whose clients would wake xpcd up otherwise.
class watch {
 public:
  explicit watch(asio::io_context& loop) : descriptor_(loop) {}
  watch(watch&&) = default;
  ~watch() { stop(); }

  bool is_on() const noexcept { return descriptor_.is_open(); }
  /// Calls `ready` once when the lent descriptor is readable; it must be stopped before the
  /// descriptor is closed. @return false, nothing watched, when the kernel has no room for it.
  template <class F>
  bool start(int borrowed_fd, F ready) {
    stop();
    asio::error_code refused;
    descriptor_.assign(borrowed_fd, refused);
    if (refused) return false;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [ready = std::move(ready)](const asio::error_code& error) mutable {
                             if (!error) ready();
                           });
    return true;
  }
  void stop() noexcept {
    if (descriptor_.is_open()) (void)descriptor_.release();
  }

 private:
  asio::posix::stream_descriptor descriptor_;
};

/// One name of a job and its listening socket.
struct owned_name {
  owned_name(asio::io_context& loop, std::string text, job::name_options with = {})
      : name(std::move(text)), options(with), listener_watch(loop) {}
  std::string name;
  private_place* apart = nullptr;  // of its job, where it has one; lent
  job::name_options options;
  domain::bound_name bound;  // no socket while a new xpcd waits for its service to hand it back
  watch listener_watch;
};

/// A process that runs for a job.
struct job_run {
  explicit job_run(asio::io_context& loop) : exit_watch(loop), idle_timer(loop) {}
  process_id id;
  base::fd pidfd;
  job_cgroup group;  // that it was started in; empty: xpcd's own
  program_image image;
  watch exit_watch;               // only for processes that are not our children
  asio::steady_timer idle_timer;  // until it is asked whether anybody needs it
  bool asked_whether_idle = false;
  bool child = true;
  bool asked = false;      // a verb or a signal of ours ended it: no crash
  bool estranged = false;  // serves sockets that nobody can reach any more: ends when somebody
                           // wants the new ones
  base::instant started{};
  /// Empty: unmanaged.
  job_link link;
  bool returns = false;    // its link went with an xpcd before us, and is on its way back
  bool ask_later = false;  // to end, when it has come back
  /// What keeps it busy, as it last said, at most once a second; nothing before it said so.
  std::optional<std::int64_t> transactions;
};

/// How a run ended.
struct run_result {
  std::optional<int> status;  // as wait(2) gives it; nothing when nobody could learn it
  pid_t pid = 0;
  base::instant when{};
  std::chrono::nanoseconds lasted{};
};

struct launching;
struct owned_socket;
struct triggers;
struct upgrades;

struct supervised {
  supervised(asio::io_context& loop, job::description what);
  ~supervised();

  job::description job;
  object_ref object;      // the property list
  std::string origin;     // file it came from, for people
  bool any_peer = false;  // whoever loaded it lets everybody speak to it, whatever its names say
  state at = state::idle;
  wish want = wish::on_demand;
  throttle limits;
  std::vector<owned_name> names;
  std::vector<owned_socket> sockets;     // that it fetches by launch_activate_socket
  std::vector<socket_file> had_files;    // where there are none: what they were
  std::unique_ptr<triggers> extra;       // nullptr: only clients and verbs start it
  std::unique_ptr<private_place> apart;  // nullptr: its names are for everybody in the domain
  std::unique_ptr<upgrades> versions;    // nullptr: no version ever checked in
  base::instant loaded{};
  std::optional<job_run> run;
  std::shared_ptr<launching> start;  // under way; nullptr: none is
  std::optional<run_result> last;
  std::uint64_t generation = 0;  // of the current or last process
  std::uint64_t start_count = 0;
  std::string reason;  // why it is failed
  base::fd
      kept_output;  // standard error of the current or last run, where it has no file of its own
  off_t told_output = -1;  // so much of that the journal has; -1: look
  unsigned refusing = 0;   // orders on their way to the refuser
  asio::steady_timer timer;
  base::instant timer_at = base::never;
  /// Verbs that wait: for the outcome of a start, for the end.
  std::vector<base::function<void(failure_of)>> await_start, await_gone;
};

/// "exited with status 3", "was ended by signal 11 (Segmentation fault)", "ended, nobody knows
/// how".
std::string describe_end(const std::optional<int>& status);

}  // namespace openxpc::supervise
