#pragma once

#include "base/function.hpp"
#include "job/description.hpp"
#include "job/object.hpp"
#include "supervise/supervisor.hpp"

#include <asio/io_context.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "bundle/bundle.hpp"
#include "bundle/executable.hpp"

/// Which process has which services of its own.
namespace openxpc::bundle {

/// What a process wants.
struct wanted {
  std::string name;
  /// Which instance of a service with _MultipleInstances; empty: none in particular.
  std::string instance;
  /// Stands for the connection that asks; the instance of a connection that names none.
  std::string connection;
};

/// The services of applications. An application is one process for as long as it runs one program:
/// its services are loaded when it first asks for them, and are removed when it is gone or has
/// become another program. One thread: that of the loop.
class applications {
 public:
  using answer = base::function<void(outcome<object_ref>)>;

  /// Processes that have services at the same time.
  static constexpr std::size_t most_applications = 1024;
  /// Of these, processes of one user other than xpcd's own.
  static constexpr std::size_t most_of_another_user = 128;
  /// Services of one application, each instance counted.
  static constexpr std::size_t most_services = 64;

  /// All must outlive it.
  applications(asio::io_context& loop, domain::directory& directory, supervise::supervisor& jobs);
  ~applications();
  applications(const applications&) = delete;
  applications& operator=(const applications&) = delete;

  /// Answers {endpoint}, a way to the service of that name that stands in a bundle beside the
  /// program of the caller, and runs as the caller's user; or {ask: "system"} for one of the whole
  /// machine, which the system's service manager has. Errors: denied (who asks cannot be told for
  /// certain, or the files are not to be trusted), not_found (no such bundle), bad_input (its
  /// Info.plist), unavailable (too many).
  void look_up(caller who, wanted what, answer answered);
  /// Takes over what an xpcd before this one left behind. Once, before anybody asks.
  void take_over();

  /// The same for one that became this one by exec, after its jobs have been resumed.
  void resume(xpc_object_t given, handover::incoming& in);
  void hand_over(xpc_object_t into, handover::outgoing& out) const;

  /// What xpcctl shows of pid/PID.
  outcome<object_ref> list(pid_t pid) const;
  outcome<object_ref> describe(pid_t pid, bool whole) const;
  /// The label of the job behind pid/PID/NAME: of the first instance where there are several, or of
  /// NAME@INSTANCE. Errors: not_found.
  outcome<std::string> label_of(pid_t pid, const std::string& name) const;
  /// How that job is called there: NAME or NAME@INSTANCE.
  static std::string shown_name(const std::string& label);

 private:
  struct application;

  /// A look-up under way.
  struct looking;
  void look_beside(const std::shared_ptr<looking>& asked);
  void on_bundle(looking& asked, outcome<opened_bundle> found);
  outcome<application*> application_of(const caller& who, executable is);
  application* add(executable is, uid_t user, base::fd pidfd);
  failure_of refuse_user(const caller& who) const;
  outcome<job::process_setup> setup_for(const caller& who, job::service_type type) const;
  /// Whose files count for a caller, and why not his own.
  struct trust {
    uid_t owner = 0;
    failure_of confined;
  };
  trust trust_in(const caller& who) const;
  outcome<opened_bundle> explain(const caller& who, const trust& in,
                                 outcome<opened_bundle> found) const;
  /// And as whom it runs.
  struct found_service {
    opened_bundle bundle;
    job::process_setup setup;
  };
  void serve(const caller& who, application& of, const found_service& it, wanted what,
             answer answered);
  struct loadable;
  static outcome<loadable> job_for(const caller& who, const std::string& label,
                                   const found_service& it, const std::string& name);
  failure_of load(const caller& who, const std::string& label, const found_service& it,
                  const std::string& name);
  bool take_over_job(const std::string& label);
  void forget(pid_t pid);
  void let_go(const std::string& label);

  asio::io_context& loop_;
  domain::directory& directory_;
  supervise::supervisor& jobs_;
  std::map<pid_t, std::unique_ptr<application>> all_;
  std::map<std::string, std::set<pid_t>> users_;  // label to the applications that have it
  std::shared_ptr<applications*> self_;           // empty when this is gone
};

}  // namespace openxpc::bundle
