#pragma once

#include "domain/directory.hpp"
#include "job/declaration.hpp"
#include "job/read.hpp"
#include "supervise/cgroup.hpp"
#include "supervise/companion.hpp"
#include "supervise/lasting_state.hpp"
#include "supervise/launching.hpp"
#include "supervise/limited_log.hpp"
#include "supervise/mount_watcher.hpp"
#include "supervise/path_watcher.hpp"
#include "supervise/refused_files.hpp"
#include "supervise/refuser.hpp"
#include "supervise/run_state.hpp"
#include "supervise/spawn.hpp"
#include "supervise/supervised.hpp"
#include "supervise/unserved.hpp"
#include "supervise/upgrade.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "handover/handover.hpp"

namespace openxpc::activity {
class activities;
}
namespace openxpc::events {
class streams;
}

namespace openxpc::supervise {

struct supervisor_options {
  std::uint64_t descriptor_limit = 0;  // soft RLIMIT_NOFILE of services; 0: ours
  std::string state_directory;         // of what outlasts a restart of the machine; empty: nowhere
  std::string system_directory;        // whose names no job may have; empty: there are none
  std::vector<std::string> job_directories;     // whose descriptions a start loads by itself
  std::string hardened_group = "xpc-hardened";  // a name or number
  std::chrono::seconds idle_exit{60};           // between two questions whether anybody needs a job
  bool service_links = true;  // services connect to the control interface before they start
  std::chrono::milliseconds hand_back_time{2000};
  std::chrono::seconds check_in_time{30};  // for a version that never checked in before
};

/// All jobs of a domain: performs what state.hpp decides. One thread: that of the loop. No verb
/// blocks, and one that fails changes nothing; `done` is called on the loop, perhaps before the
/// verb returns.
class supervisor {
 public:
  using done = base::function<void(failure_of)>;
  /// Who may speak to a job whose names do not say so: nobody, so that the system domain does not
  /// load it, or anybody.
  enum class peers : unsigned char { as_described, any };

  /// `loop` and `directory` must outlive it.
  supervisor(asio::io_context& loop, domain::directory& directory, supervisor_options options = {});
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  // --- Verbs ---
  /// Binds the job's names and starts it if it is to run at once. Returns its label.
  /// A job that is loaded already with this very description is left as it is.
  /// Errors: conflict (label or a name is taken, by whom), denied (it is disabled), bad_input (it
  /// is not for a domain of this kind: a line for each reason), or what binding and the run state's
  /// directory said.
  outcome<std::string> bootstrap(job::reading what, const std::string& origin,
                                 peers allowed = peers::as_described);
  /// Calls `ready`, perhaps before this returns, when file systems that the verb would have to wait
  /// for have answered, or were given up.
  void prepare_bootstrap(const std::vector<job::socket_entry>& sockets,
                         base::function<void()> ready) const;
  /// Loads a job whose one name nobody finds in the domain's directory; its label is one that no
  /// description can have. It does not outlive xpcd.
  failure_of bootstrap_private(job::description what, const std::string& origin,
                               std::unique_ptr<private_place> place);
  struct private_job {
    bool loaded = false, removing = false;
    base::fd endpoint;  // a way to its socket; empty also when no descriptor is free
  };
  private_job private_job_of(const std::string& label) const;
  /// How many private jobs have that name.
  std::size_t private_jobs_named(const std::string& name) const;
  /// The labels of private jobs whose processes an xpcd before this one left behind.
  std::vector<std::string> left_private_jobs() const;
  /// bootstrap_private() for one of those: its process goes on with the conversations that it has,
  /// and gives way to a new one when somebody connects. False, and nothing of it is left, when the
  /// process is gone by now.
  bool adopt_private(job::description what, const std::string& origin,
                     std::unique_ptr<private_place> place);
  /// Ends the process of such a job, and what is left of its group.
  void end_left_private_job(const std::string& label);
  /// A description that does not come as far as bootstrap(), which notes what it refuses itself:
  /// the reason is told to whoever asks for a name that it declares, until the file is loaded or
  /// gone.
  /// @param file  without a slash in front it is no file: then only the names are remembered
  /// @param what  nothing: nobody knows which names it declares
  void note_refused(const std::string& file, const std::optional<job::declaration>& what,
                    const std::string& why, bool disabled = false);
  /// The same for one that is rightly passed over: only for who asks for its names.
  void note_unserved(const std::string& file, const job::declaration& what, const std::string& why);
  /// What was not loaded, as refused_files::list(). @param whole  for the owner of the domain
  object_ref refused(bool whole) const;
  /// What in a description has no effect in this domain, for people.
  std::vector<std::string> warnings_for(const job::description& job) const;
  /// Ends the job's process and forgets the job; done when both are gone.
  void bootout(const std::string& label, done finished);
  /// Starts it now, throttled and failed ones too. @param restart ends a running process first.
  /// Done when the program runs or could not be started.
  void kickstart(const std::string& label, bool restart, done finished);
  /// Goes to the version of the program that is at its path now: beside the one that runs, or after
  /// it; done when the old one is gone, or the new one did not live up to it and was rolled back.
  /// Gives {label, result: upgraded, unchanged, not-running or rolled-back; reason, pid,
  /// generation}. A job that does not run starts its new version when it is needed.
  /// @param force  also when the file is the one that runs already
  /// Errors: not_found (no such job), conflict (it is being removed), what opening the program
  /// said.
  void upgrade(const std::string& label, bool force,
               base::function<void(outcome<object_ref>)> finished);
  /// The answer to one that was begun before this xpcd took over by exec.
  void rejoin_upgrade(const std::string& label, base::function<void(outcome<object_ref>)> finished);
  /// Sends a signal to the job's process. Errors: not_found (no such job, no process), bad_input
  /// (no such signal).
  failure_of kill(const std::string& label, int signal);
  std::vector<std::string> labels() const;
  /// Everything about a job, as print shows it: a dictionary. @param whole also what only the
  /// domain's owner may see: the environment, and what the job printed.
  outcome<object_ref> describe(const std::string& label, bool whole) const;
  /// The property list that it was loaded from.
  outcome<object_ref> description_of(const std::string& label) const;
  /// One dictionary a job: label, state, pid, last exit.
  object_ref list() const;
  /// Why a client cannot reach a name, step by step: {steps: [{is: good, wait or bad; text}],
  /// reachable}. @param whole as above.
  object_ref why_not(const std::string& name, bool whole) const;
  const std::string& directory_path() const noexcept { return directory_.path(); }
  /// The job's process; 0 when it has none.
  pid_t pid_of(const std::string& label) const;
  /// It was removed from this domain, and only a verb brings it back: an xpcd that starts after one
  /// that was killed must not.
  bool was_removed(const std::string& label) const;
  /// The job of a process; empty when it is none's.
  std::string label_of(pid_t pid) const;
  /// The label of the job that owns a name; empty when none does.
  std::string owner_of(const std::string& name) const;

  // --- Settings of the domain ---
  /// Whether a label may be loaded, whatever its description says; lasts. Jobs that are loaded
  /// stay.
  failure_of set_disabled(const std::string& label, bool disabled);
  outcome<std::map<std::string, bool>> disabled() const;
  /// A variable for every job that starts from now on; nothing takes it away. Lives as long as the
  /// domain. Errors: bad_input, what a variable cannot be called.
  failure_of set_variable(const std::string& name, std::optional<std::string> value);
  std::optional<std::string> variable(const std::string& name) const;
  /// Numbers about the domain: a dictionary.
  object_ref stats() const;

  // --- Service links ---
  /// The process `pid` (the kernel's word) says that it is ready, and may hand listening sockets
  /// back, by name; each is checked against the file in the directory. `link` sends a request to
  /// it. Errors: denied (no job of ours has this process), bad_input (a socket that is not the
  /// name's).
  failure_of check_in(pid_t pid, std::vector<std::pair<std::string, base::fd>> sockets,
                      job_link link);
  /// The same process hands back what it got for Sockets; without effect where we have it. Errors:
  /// bad_input or denied, one that is not an entry's; then none is taken.
  failure_of hand_back_sockets(pid_t pid, std::vector<std::pair<std::string, base::fd>> sockets);
  /// A process that was asked to end has nothing left to do.
  void drained(pid_t pid);
  /// A process's link is gone; it goes on unmanaged until it comes back.
  void link_lost(pid_t pid);

  /// The process says something else over its link, which may come before its check-in. Returns its
  /// job. Errors: denied, as above.
  outcome<std::string> hear(pid_t pid, job_link link);
  /// So much keeps it busy.
  void note_transactions(pid_t pid, std::int64_t count);

  // --- What goes along with jobs (companions.cpp) ---
  activity::activities& activities() const noexcept { return *activities_; }
  events::streams& streams() const noexcept { return *streams_; }
  /// Starts the job's process unless there is one. False when there will be none.
  bool wake(const std::string& label);
  /// Sends to the job's process; false when there is no link to it.
  bool send(const std::string& label, xpc_object_t message) const;
  /// Who the job runs as, where that is not xpcd's own user.
  outcome<std::optional<credentials>> identity_of(const std::string& label) const;

  // --- Life ---
  /// Takes the jobs over that an xpcd before this one left behind. Once, before anything else.
  void take_over();
  /// The same for one that became this one by exec: nothing has to come back but links.
  void resume(xpc_object_t given, handover::incoming& in);
  /// All that resume() needs. Changes nothing here.
  void hand_jobs_over(xpc_object_t into, handover::outgoing& out) const;
  /// Why resume() would lose a job of those; nothing when it would not.
  static failure_of wrong_with_handover(xpc_object_t given);
  /// Links that end from now on come back: a process that is to be asked to end meanwhile is asked
  /// then, not by a signal. Until give_returns_up(), or await_returns() and a while.
  void expect_links_back();
  void await_returns();
  /// Calls `idle` on the loop when all clients that were to be refused up to now have been.
  void when_refuser_is_idle(base::function<void()> idle);
  bool is_shutting_down() const noexcept { return static_cast<bool>(shut_down_); }
  /// The job wrote to its kept output.
  void on_output(const std::string& label);
  /// Call on SIGCHLD: reaps services, and orphans that came to us.
  void reap();
  /// A child that is no job's: `ended` gets its status as wait(2) gives it, once.
  void expect_child(pid_t pid, base::function<void(int)> ended);
  /// Ends all services and forgets all jobs; then `finished`.
  void shut_down(base::function<void()> finished);
  /// Once no job waits for sockets of a take-over any more.
  bool is_settled() const noexcept { return awaiting_hand_back_.empty(); }
  void when_settled(base::function<void()> settled);

 private:
  using job_ref = std::shared_ptr<supervised>;

  void add_companions();
  std::array<companion*, 2> companions() const noexcept;

  job_ref find(const std::string& label) const;
  trouble no_such_job(const std::string& label) const;
  outcome<std::string> load(job::reading& what, const std::string& origin, peers allowed);
  failure_of save(const supervised& job) const;
  bool comes_back_by_itself(const supervised& job) const;

  void apply(const job_ref& job, event what);
  void perform(const job_ref& job, duties what);
  void set_timer(const job_ref& job, std::chrono::nanoseconds from_now);
  void clear_timer(supervised& job);
  void on_timer(const job_ref& job);
  void forget(const job_ref& job);
  void check_shut_down();

  // start.cpp
  using start_ref = std::shared_ptr<launching>;
  template <class T>
  base::function<void(T)> then(const job_ref& job, const start_ref& start,
                               void (supervisor::*step)(const job_ref&, const start_ref&, T));
  void begin_start(const job_ref& job, std::unique_ptr<candidate> beside);
  void plan_start(supervised& job, launching& start);
  void on_program(const job_ref& job, const start_ref& start, outcome<found_program> found);
  void on_files(const job_ref& job, const start_ref& start, failure_of why);
  void spawn_apart(const job_ref& job, const start_ref& start);
  static void kill_newborn(const process_order& order);
  void end_start(const job_ref& job, const start_ref& start, outcome<untaken_process> child);
  event take_process(supervised& job, launching& start, outcome<spawned> child);
  void give_start_up(const job_ref& job);
  void end_instead_of_start(const job_ref& job);
  std::string newborn_label(pid_t pid) const;
  void settle_newborn(pid_t pid);

  // launch.cpp
  program_order program_of(const job::description& job,
                           const std::vector<std::string>& environment) const;
  failure_of forbidden(const job::description& job) const;
  void keep_output(supervised& job, given_files* files);
  static bool goes_to_journal(const job::description& job);
  void tell_output(supervised& job, bool to_the_end);

  // run.cpp
  void watch_exit(const job_ref& job);
  void on_exit(const job_ref& job, std::optional<int> status);
  void after_run(const job_ref& job, std::optional<int> status, bool asked);
  event judge_end(const job_ref& ended, std::optional<int> status, bool asked);
  static void kill_group(const job_run& run);
  static void ask_to_end(job_run& run, const job::description& job);
  void request_exit(const job_ref& job);
  static void send_signal(const job_run& run, int signal);
  void await_idleness(const job_ref& job);

  // upgrade.cpp
  static upgrades& versions_of(supervised& job);
  void upgrade_to(const job_ref& job, bool force, const file_identity& version, failure_of wrong);
  void put_decision_off(const job_ref& job);
  void decide_upgrade(const job_ref& job);
  void settle_upgrade(const job_ref& job);
  outcome<program> choose_program(supervised& job, outcome<program> named, program_image* image);
  void hold_program(supervised& job);
  static void reject(supervised& job, std::optional<file_identity> version, const std::string& why);
  std::string check_in_too_late() const;
  void start_candidate(const job_ref& job);
  void candidate_failed(const job_ref& job, const file_identity& version, const trouble& why);
  void end_start_beside(const job_ref& job, launching& start, outcome<spawned> child);
  void take_candidate(const job_ref& job, bool has_names);
  void hand_names_over(const job_ref& job);
  void promote_candidate(const job_ref& job);
  void give_candidate_up(const job_ref& job);
  void discard_candidate(const job_ref& job);
  void forget_candidate(supervised& job, candidate& next);
  void retire_run(const job_ref& job, job_run run, std::chrono::seconds time);
  void watch_retired(const job_ref& job, retired_run& one);
  void kill_when_late(const job_ref& job, retired_run& one, asio::steady_timer::time_point when);
  void on_other_exit(const job_ref& job, pid_t pid, std::optional<int> status);
  static job_run* other_run(supervised& job, pid_t pid);
  void other_checked_in(const job_ref& job, job_run& run, decltype(job_run::link) link);
  void take_over_others(const job_ref& job);

  // why_not.cpp
  std::string why_nobody(const std::string& name) const;

  // refusals.cpp
  void leave_reason(const std::vector<std::string>& names, const std::string& label,
                    const std::string& reason);
  bool is_for_all(const std::string& file) const;
  void leave_word_for_any_name();
  void watch_refused(const std::string& file);
  void forget_refused(const std::string& file);
  void save_refused();
  void restore_refused();
  void reconsider_refused(const std::string& label);
  void remind_of_refused(const std::vector<std::string>& names);
  std::string refused_as(const std::string& label) const;
  std::vector<std::string> who_may_declare(bool whole) const;

  // settings.cpp
  outcome<std::optional<bool>> said_of(const std::string& label) const;
  bool is_disabled(const std::string& label, bool by_itself) const;
  failure_of refuse_disabled(const job::description& job) const;
  failure_of refuse_squatting(const job::description& job);
  failure_of refuse_loading(const job::reading& what, peers allowed);
  void note_private(const std::string& name);
  failure_of refuse_kind(const job::reading& what, peers allowed) const;

  // names.cpp
  failure_of bind_names(supervised& job);
  void unbind_names(supervised& job, std::uint32_t code, const std::string& text);
  void update_watches(const job_ref& job);
  failure_of bind_sockets(supervised& job);
  void unbind_sockets(supervised& job);
  static std::vector<socket_file> socket_files_of(const supervised& job);
  void bind_later(const supervised& job, const trouble& why);
  void retry_binding();
  void bind_unbound();
  void watch_sockets(const job_ref& job);
  void settle_sockets(supervised& job);
  static bool has_waiting_socket(const supervised& job);
  void on_listener(const job_ref& job, const std::string& name);
  void refuse_waiting(const job_ref& job);
  void settle_names(supervised& job, bool rotate_all);
  void show_names(supervised& job);
  void hide_name(supervised& job, owned_name& name);
  outcome<domain::bound_name> bind_name(const owned_name& name, bool hidden) const;
  void rotate(supervised& job, owned_name& name);
  void retire(base::fd listener, std::uint32_t code, std::uint32_t flags, std::string text);

  // triggers.cpp
  static bool keep_counts(const supervised& job);
  std::optional<bool> condition_holds(const supervised& job) const;
  void await_condition(const job_ref& job);
  void check_condition(const job_ref& job);
  wish wish_at_load(const supervised& job) const;
  void arm_triggers(const job_ref& job);
  void disarm_triggers(supervised& job);
  void on_change(const job_ref& job, bool counts);
  void trigger(const job_ref& job, bool remember);
  void make_up_for_absence(const job_ref& job);
  void on_jobs_changed();
  void on_mounts_changed(bool mounted);
  void on_mount();
  void make_up_for_mounts(const std::optional<std::set<std::string>>& known_before);
  void set_interval(const job_ref& job);
  void set_calendar(const job_ref& job);
  void on_calendar(const job_ref& job);
  void watch_wall_clock();
  void on_wall_clock_set();

  // resume.cpp
  job_ref resume_job(xpc_object_t from, handover::incoming& in);
  void resume_versions(const job_ref& job, xpc_object_t from, handover::incoming& in);
  void resume_triggers(const job_ref& job, xpc_object_t from);
  void resume_without_sockets(supervised& job);
  void adopt_run(supervised& job, job_run& run);
  void give_returns_up();
  void each_run(const std::function<void(const job_ref&, job_run&)>& f);
  void link_is_back(const job_ref& job, job_run& run);

  // takeover.cpp
  void take_over_job(const std::string& label);
  failure_of hand_back(supervised& job, const std::string& name, base::fd socket);
  void fetch_sockets(const job_ref& job);
  void keep_sockets(const job_ref& job, std::vector<owned_socket> all, const char* how);
  void finish_take_over(const std::string& label);

  asio::io_context& loop_;
  domain::directory& directory_;
  supervisor_options options_;
  low_descriptors room_;
  run_state saved_;
  lasting_state lasting_;
  unserved_names unserved_;
  std::map<std::string, std::string> variables_;
  base::instant born_;
  cgroups groups_;
  refuser refuser_;
  path_watcher watcher_;
  refused_files refused_;
  std::map<std::string, path_watcher::handle> refused_watches_;
  bool saving_refused_ = false;
  mount_watcher mounts_;
  base::fd wall_clock_;
  watch wall_clock_watch_;
  std::unique_ptr<activity::activities> activities_;
  std::unique_ptr<events::streams> streams_;
  std::map<std::string, job_ref> jobs_;
  std::map<std::string, std::string> owners_;  // name to label
  std::map<pid_t, std::string> processes_;     // pid to label
  std::set<std::shared_ptr<process_order>> being_born_;
  std::map<pid_t, base::function<void(int)>> other_children_;
  std::set<std::string> dependent_;           // labels of jobs that run while others are loaded
  limited_log squatting_;                     // for names of the system
  limited_log meddling_;                      // with sockets, by services that share them
  std::set<std::string> awaiting_hand_back_;  // labels
  asio::steady_timer hand_back_timer_;
  std::set<std::string> unbound_;  // labels of jobs whose sockets somebody else has
  asio::steady_timer bind_timer_;
  std::set<std::string> untold_;  // labels of jobs of whose output the journal lacks something
  asio::steady_timer tell_timer_;
  bool links_return_ = false;
  base::function<void()> settled_, shut_down_;
  /// Handlers that are still in the loop when this dies find it empty.
  std::shared_ptr<supervisor*> self_;
};

/// One line about a job to standard error.
void say(const std::string& label, const std::string& text);

}  // namespace openxpc::supervise
