#pragma once

#include "base/clock.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"
#include "supervise/process.hpp"
#include "supervise/socket_file.hpp"
#include "supervise/supervised.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What a new xpcd must know about the jobs of one that was killed. In the domain's `.run`
/// directory there is for each job
///   LABEL.job  the description, where it came from and the state of its throttling: a dictionary
///   in the portable encoding LABEL.pid  its process, written by that process itself before it
///   becomes the program (spawn.hpp) LABEL.err  what it printed (output.hpp) LABEL.out  empty: it
///   was removed, and is not to come back by itself
/// Each is written beside its place and renamed, so a reader finds a whole file or none.
namespace openxpc::supervise {

struct saved_job {
  object_ref description;  // the property list
  std::string origin;
  bool any_peer = false;  // loaded for everybody
  std::uint64_t generation = 0;
  unsigned quick_ends = 0;
  base::instant started{}, loaded{};
  std::vector<socket_file> socket_files;
  std::uint64_t start_count = 0;
  bool wanted = false;     // it is to run without anybody asking
  state at = state::idle;  // throttled and failed count, until timer_at
  base::instant timer_at{};
  std::string reason;  // why it is failed
  std::optional<run_result> last;
  friend bool operator==(const saved_job&, const saved_job&) = delete;
};

struct saved_run {
  process_id id;
  std::uint64_t generation = 0;
};

class run_state {
 public:
  /// @param borrowed_run_fd  the directory; must outlive this.
  explicit run_state(int borrowed_run_fd) : directory_(borrowed_run_fd) {}

  failure_of save(const std::string& label, const saved_job& job) const;
  /// The labels of all jobs that were saved, in the order of their bytes. Files that are none of
  /// ours are passed over.
  std::vector<std::string> labels() const;
  outcome<saved_job> load(const std::string& label) const;
  /// The domain's variables.
  failure_of save_variables(const std::map<std::string, std::string>& variables) const;
  std::map<std::string, std::string> load_variables() const;
  /// What was mounted when that was last told; nothing where nobody wants to know.
  failure_of save_mounts(const std::set<std::string>& mounts) const;
  std::optional<std::set<std::string>> load_mounts() const;
  void forget_mounts() const noexcept;
  /// Descriptions that were not loaded: a list, nullptr for none.
  failure_of save_refused(xpc_object_t list) const;
  object_ref load_refused() const;
  void forget_refused() const noexcept;
  /// Labels of jobs that were removed while their descriptions stayed where xpcd looks for them.
  failure_of note_removed(const std::string& label) const;
  bool was_removed(const std::string& label) const noexcept;
  void forget_removed(const std::string& label) const noexcept;
  void forget_all_removed() const;
  std::optional<saved_run> load_run(const std::string& label) const;
  /// Of the next process of a job, and of the one before (upgrade.cpp).
  std::optional<saved_run> load_next_run(const std::string& label) const;
  std::optional<saved_run> load_old_run(const std::string& label) const;
  /// The next one is the job's process from now on, the job's process the one before.
  failure_of advance_run(const std::string& label) const;
  void forget_next_run(const std::string& label) const noexcept;
  void forget_old_run(const std::string& label) const noexcept;
  void forget_run(const std::string& label) const noexcept;
  void forget(const std::string& label) const noexcept;

  static std::string run_file(const std::string& label) { return label + ".pid"; }
  // No label has a plus sign.
  static std::string next_run_file(const std::string& label) { return label + "+next.pid"; }
  static std::string old_run_file(const std::string& label) { return label + "+old.pid"; }
  static std::string output_file(const std::string& label) { return label + ".err"; }
  int borrowed_fd() const noexcept { return directory_; }

 private:
  std::vector<std::string> labels_with(std::string_view suffix) const;
  failure_of write_object(const std::string& file, xpc_object_t object) const;

  int directory_;
};

/// Reads "PID START_TICKS PIDFD_INODE GENERATION\n"; nothing when it is anything else.
std::optional<saved_run> parse_run(std::string_view text);

}  // namespace openxpc::supervise
