#pragma once

#include "base/function.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"
#include "supervise/job_link.hpp"
#include "supervise/supervisor.hpp"

#include <sys/types.h>

#include <string>

namespace openxpc::bundle {
class applications;
}

/// The verbs of the control interface: a dictionary in, a dictionary or a reason out. They know
/// nothing of sockets.
namespace openxpc::control {

/// This xpcd itself, as a thing that verbs are about.
class manager {
 public:
  virtual ~manager() = default;
  /// Becomes the program at `path` (empty: the one it was started from, as it stands there now),
  /// with all that it has. Answers {result: unchanged or refused; reason} while it is still itself;
  /// whoever made it the next one hears upgraded() from that.
  /// @param force  also when the file is the one that runs
  virtual void upgrade(const std::string& path, bool force,
                       base::function<void(outcome<object_ref>)> answered) = 0;
  /// {result: upgraded}: what whoever asked the one before this one is told.
  virtual object_ref upgraded() const = 0;
  /// Adds its version, its generation and its program.
  virtual void describe(xpc_object_t into) const = 0;
};

/// One request to a verb.
struct verb_call {
  xpc_object_t message;   // lent until the verb returns
  pid_t pid = 0;          // who asks, by the kernel's word
  bool is_owner = false;  // of the domain, or root
  /// How the process can be asked over this very conversation; for check-in. Empty where that is
  /// not possible.
  supervise::job_link link;
  bundle::applications* applications = nullptr;
  uid_t user = 0;  // whose process asks
  /// A pidfd of who asks, as of when it connected; until the verb returns.
  base::function<base::fd()> pidfd;
  control::manager* manager = nullptr;
  /// It was under way when this xpcd took over by exec, and is so still.
  bool carried = false;
};

using answer = base::function<void(outcome<object_ref>)>;

struct verb {
  const char* op;
  bool owner_only;  // the domain's owner and root: what changes something or shows secrets; what a
                    // service says about itself is neither, and is held against its process id
  /// Calls `answered` exactly once, perhaps later.
  void (*run)(supervise::supervisor& jobs, verb_call& call, answer answered);
  bool of_services = false;  // said over a service link: verb_call::link is given
};

/// The answer to bootout: nothing is loaded as that label. @param was_loaded  something was
object_ref booted_out(const std::string& label, bool was_loaded);

/// Every verb there is, one row each; nullptr for an unknown one.
const verb* find_verb(const std::string& op);

}  // namespace openxpc::control
