#include "bundle/applications.hpp"

#include "base/program_places.hpp"
#include "control/confinement.hpp"
#include "job/name.hpp"
#include "supervise/private_place.hpp"

#include <xpc/openxpc/object.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "bundle/application_user.hpp"

namespace openxpc::bundle {

using supervise::say;

struct applications::application {
  application(asio::io_context& loop, executable what, uid_t whose, base::fd process)
      : is(std::move(what)), user(whose), pidfd(std::move(process)), gone(loop) {}
  executable is;
  uid_t user;
  base::fd pidfd;
  supervise::watch gone;
  std::set<std::string> labels;
};

struct applications::looking {
  caller who;
  wanted what;
  answer answered;
  executable is = {};
};

namespace {

constexpr std::size_t most_instance_bytes = 64;

/// No job of a description has a label with such a sign in it.
constexpr char separator = '@';

std::string pid_text(pid_t pid) { return "pid/" + std::to_string(pid); }

bool is_instance(const std::string& text) {
  if (text.empty() || text.size() > most_instance_bytes) return false;
  for (const char c : text) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
    if (!good) return false;
  }
  return true;
}

/// Who has the instance, what it is called, which one of several it is.
std::string label_for(uid_t user, const executable& of, const opened_bundle& found,
                      const std::string& name, const std::string& instance) {
  const bool shared = found.info.type != job::service_type::application;
  std::string label =
      shared
          ? "bundle." + std::to_string(found.device) + "." + std::to_string(found.inode)
          : "pid." + std::to_string(of.process.pid) + "." + std::to_string(of.process.start_ticks);
  // One for each user where it runs as that; the service manager's own needs no number.
  if (found.info.type == job::service_type::user && user != ::geteuid())
    label += ".uid" + std::to_string(user);
  label += separator + name;
  if (!instance.empty()) label += separator + instance;
  return label;
}

/// What label_for() made a label of; a pid of 0 where it names no process.
struct owner_in_label {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string name, instance;
};

owner_in_label owner_of(const std::string& label) {
  owner_in_label result;
  const std::size_t at = label.find(separator);
  const std::size_t next = label.find(separator, at + 1);
  result.name = label.substr(at + 1, next == std::string::npos ? next : next - at - 1);
  if (next != std::string::npos) result.instance = label.substr(next + 1);
  long long pid = 0;
  unsigned long long start = 0;
  if (std::sscanf(label.c_str(), "pid.%lld.%llu@", &pid, &start) == 2 && pid <= INT32_MAX) {
    result.pid = static_cast<pid_t>(pid);
    result.start_ticks = start;
  }
  return result;
}

object_ref reply_with(base::fd endpoint) {
  xpc_endpoint_t made = ::openxpc_endpoint_create_from_fd(endpoint.get());
  if (made == nullptr) return nullptr;
  (void)endpoint.release();
  object_ref reply = new_dictionary();
  set(reply.get(), "endpoint", object_ref(made));
  return reply;
}

}  // namespace

applications::applications(asio::io_context& loop, domain::directory& directory,
                           supervise::supervisor& jobs)
    : loop_(loop),
      directory_(directory),
      jobs_(jobs),
      self_(std::make_shared<applications*>(this)) {}

applications::~applications() { *self_ = nullptr; }

/// A user's service manager serves that user. The system's serves everybody: for who is not root it
/// runs root's files, which nobody else can have put there, as the user of the application; what
/// users have beside their own programs is for service managers of their own.
failure_of applications::refuse_user(const caller& who) const {
  if (directory_.is_system() || who.user == ::geteuid()) return std::nullopt;
  return trouble{trouble::kind::denied,
                 "a service of an application runs as its user: this is the domain of uid " +
                     std::to_string(::geteuid()) + ", process " + std::to_string(who.pid) +
                     " is one of uid " + std::to_string(who.user),
                 EPERM};
}

/// How the process of the service is set up before the bundle has its say.
outcome<job::process_setup> applications::setup_for(const caller& who,
                                                    job::service_type type) const {
  if (type != job::service_type::system && who.user != ::geteuid()) return setup_as(who, type);
  job::process_setup plain;
  plain.no_new_privileges = false;  // unless the bundle wants it so
  return plain;
}

/// A process that is confined may have put its own files there, to have them run by somebody who is
/// not (threat T56): then only root's count, as in the domain of the system.
applications::trust applications::trust_in(const caller& who) const {
  trust result{who.user, control::confinement_of(who.pid, who.pidfd.get())};
  if (directory_.is_system() || result.confined) result.owner = 0;
  return result;
}

outcome<opened_bundle> applications::explain(const caller& who, const trust& in,
                                             outcome<opened_bundle> found) const {
  if (found || found.error().number != EPERM || who.user == 0) return found;
  trouble why = found.error();
  if (!directory_.is_system()) {
    if (in.confined) why.text += ", for " + in.confined->text;
  } else if (who.user != ::geteuid()) {
    why.text += "; what is uid " + std::to_string(who.user) +
                "'s own is started by a service manager of that user: xpcd";
  }
  return why;
}

void applications::look_up(caller who, wanted what, answer answered) {
  if (auto wrong = job::wrong_with_name(what.name)) {
    return answered(trouble{trouble::kind::bad_input, "name: " + *wrong});
  }
  for (const std::string* one : {&what.instance, &what.connection}) {
    if (!one->empty() && !is_instance(*one)) {
      return answered(trouble{trouble::kind::bad_input, "an instance is a UUID in small letters"});
    }
  }
  // Before anything is looked at on the word of another user's process.
  if (failure_of why = refuse_user(who)) return answered(*why);
  auto asked =
      std::make_shared<looking>(looking{std::move(who), std::move(what), std::move(answered)});
  seek_executable(asked->who, [self = self_, asked](outcome<executable> is) {
    if (*self == nullptr) return;
    if (!is) return asked->answered(is.error());
    asked->is = std::move(*is);
    (*self)->look_beside(asked);
  });
}

void applications::look_beside(const std::shared_ptr<looking>& asked) {
  const trust in = trust_in(asked->who);
  seek_bundle(base::bundle_places(asked->is.path), asked->what.name, in.owner,
              [self = self_, asked, in](outcome<opened_bundle> found) {
                if (*self == nullptr) return;
                (*self)->on_bundle(*asked, (*self)->explain(asked->who, in, std::move(found)));
              });
}

void applications::on_bundle(looking& asked, outcome<opened_bundle> found) {
  const caller& who = asked.who;
  wanted& what = asked.what;
  answer& answered = asked.answered;
  if (!found) return answered(found.error());
  if (found->info.type == job::service_type::system && !directory_.is_system()) {
    object_ref reply = new_dictionary();
    set(reply.get(), "ask", "system");
    return answered(std::move(reply));
  }
  outcome<job::process_setup> setup = setup_for(who, found->info.type);
  if (!setup) return answered(setup.error());
  if (!what.instance.empty() && !found->info.multiple_instances) {
    return answered(trouble{trouble::kind::denied,
                            found->info_path +
                                ": XPCService/_MultipleInstances: is not true, so there is one "
                                "instance for all connections and none to choose"});
  }
  outcome<application*> of = application_of(who, std::move(asked.is));
  if (!of) return answered(of.error());
  serve(who, **of, {std::move(*found), std::move(*setup)}, std::move(what), std::move(answered));
}

outcome<applications::application*> applications::application_of(const caller& who, executable is) {
  auto at = all_.find(who.pid);
  if (at != all_.end()) {
    const executable& before = at->second->is;
    // One file may have several names, each with bundles of its own beside it.
    if (before.process == is.process && before.device == is.device && before.inode == is.inode &&
        before.path == is.path) {
      return at->second.get();
    }
    forget(who.pid);  // the number's former owner, or what the process was before an exec
  }
  if (all_.size() >= most_applications) {
    return trouble{trouble::kind::unavailable,
                   "too many processes have services of their own: at most " +
                       std::to_string(most_applications)};
  }
  const auto users_own = std::count_if(
      all_.begin(), all_.end(), [&](const auto& one) { return one.second->user == who.user; });
  if (who.user != ::geteuid() && static_cast<std::size_t>(users_own) >= most_of_another_user) {
    return trouble{trouble::kind::unavailable, "too many processes of uid " +
                                                   std::to_string(who.user) +
                                                   " have services of their own here: at most " +
                                                   std::to_string(most_of_another_user)};
  }
  application* made = add(std::move(is), who.user, base::fd::copy(who.pidfd.get()));
  if (made == nullptr) {
    return trouble{trouble::kind::unavailable,
                   "process " + std::to_string(who.pid) + " cannot be watched"};
  }
  return made;
}

/// nullptr when it cannot be watched.
applications::application* applications::add(executable is, uid_t user, base::fd pidfd) {
  const pid_t pid = is.process.pid;
  auto made = std::make_unique<application>(loop_, std::move(is), user, std::move(pidfd));
  const bool watched = made->pidfd && made->gone.start(made->pidfd.get(), [self = self_, pid] {
    if (*self != nullptr) (*self)->forget(pid);
  });
  if (!watched) return nullptr;
  return (all_[pid] = std::move(made)).get();
}

void applications::serve(const caller& who, application& of, const found_service& it, wanted what,
                         answer answered) {
  const opened_bundle& found = it.bundle;
  const std::string instance = !found.info.multiple_instances ? ""
                               : what.instance.empty()        ? what.connection
                                                              : what.instance;
  const std::string label = label_for(who.user, of.is, found, what.name, instance);
  supervise::supervisor::private_job job = jobs_.private_job_of(label);
  if (job.removing) {
    // An application of the same number, or the last one that shared it, is just gone.
    auto again = std::make_shared<std::pair<caller, answer>>(
        caller{base::fd::copy(who.pidfd.get()), who.pid, who.user}, std::move(answered));
    return jobs_.bootout(label, [self = self_, again, what = std::move(what)](const failure_of&) {
      if (*self == nullptr) return;
      (*self)->look_up(std::move(again->first), what, std::move(again->second));
    });
  }
  if (of.labels.count(label) == 0 && of.labels.size() >= most_services) {
    return answered(trouble{trouble::kind::unavailable,
                            pid_text(who.pid) + ": has too many services: at most " +
                                std::to_string(most_services) + ", each instance counted"});
  }
  if (!job.loaded) {
    if (failure_of why = load(who, label, it, what.name)) return answered(*why);
    job = jobs_.private_job_of(label);
  }
  of.labels.insert(label);
  users_[label].insert(who.pid);
  object_ref reply = job.endpoint ? reply_with(std::move(job.endpoint)) : nullptr;
  if (!reply) return answered(system_trouble(errno, what.name));
  answered(std::move(reply));
}

struct applications::loadable {
  job::description job;
  std::unique_ptr<supervise::private_place> place;
};

outcome<applications::loadable> applications::job_for(const caller& who, const std::string& label,
                                                      const found_service& it,
                                                      const std::string& name) {
  const opened_bundle& found = it.bundle;
  job::description job;
  job.label = label;
  job.program = found.executable;
  job.arguments = {found.executable};
  job.names = {name};
  job.environment = found.info.environment;
  job.process = it.setup;
  job.process.no_new_privileges |= found.info.no_new_privileges;
  job.pressured_exit = true;  // rule 175
  auto place = std::make_unique<supervise::private_place>();
  place->own_session = !found.info.join_existing_session;
  if (found.info.type == job::service_type::application) {
    place->application = base::fd::copy(who.pidfd.get());
    place->application_pid = who.pid;
    if (!place->application) return system_trouble(errno, name);
  }
  return loadable{std::move(job), std::move(place)};
}

failure_of applications::load(const caller& who, const std::string& label, const found_service& it,
                              const std::string& name) {
  for (const std::string& line : it.bundle.warnings) say(label, "warning: " + line);
  outcome<loadable> what = job_for(who, label, it, name);
  if (!what) return what.error();
  return jobs_.bootstrap_private(std::move(what->job), it.bundle.info_path, std::move(what->place));
}

void applications::take_over() {
  for (const std::string& label : jobs_.left_private_jobs()) {
    if (!take_over_job(label)) jobs_.end_left_private_job(label);
  }
}

/// False when its application is gone or another program by now; one that several shared goes too,
/// for nobody knows any more who they were.
bool applications::take_over_job(const std::string& label) {
  const owner_in_label of = owner_of(label);
  caller who{supervise::open_pidfd(of.pid), of.pid, 0};
  struct stat process;
  const std::string path = "/proc/" + std::to_string(of.pid);
  if (!who.pidfd || ::stat(path.c_str(), &process) < 0) return false;
  who.user = process.st_uid;
  outcome<executable> is = executable_of(who);
  if (!is || is->process.start_ticks != of.start_ticks) return false;
  const trust in = trust_in(who);
  outcome<opened_bundle> found =
      explain(who, in, open_bundle(base::bundle_places(is->path), of.name, in.owner));
  if (!found || label_for(who.user, *is, *found, of.name, of.instance) != label) return false;
  outcome<job::process_setup> setup = setup_for(who, found->info.type);
  if (!setup) return false;
  const found_service it{std::move(*found), std::move(*setup)};
  outcome<loadable> what = job_for(who, label, it, of.name);
  outcome<application*> owner = application_of(who, std::move(*is));
  if (!what || !owner) return false;
  if (!jobs_.adopt_private(std::move(what->job), it.bundle.info_path, std::move(what->place))) {
    return true;
  }
  (*owner)->labels.insert(label);
  users_[label].insert(who.pid);
  return true;
}

void applications::forget(pid_t pid) {
  auto at = all_.find(pid);
  if (at == all_.end()) return;
  const std::unique_ptr<application> gone = std::move(at->second);
  all_.erase(at);
  gone->gone.stop();
  for (const std::string& label : gone->labels) {
    auto users = users_.find(label);
    if (users == users_.end()) continue;
    users->second.erase(pid);
    if (!users->second.empty()) continue;
    users_.erase(users);
    let_go(label);
  }
}

/// Rule 225. One that was booted out by hand is gone already.
void applications::let_go(const std::string& label) {
  if (jobs_.private_job_of(label).loaded) jobs_.bootout(label, [](const failure_of&) {});
}

void applications::hand_over(xpc_object_t into, handover::outgoing& out) const {
  object_ref list = new_array();
  for (const auto& [pid, one] : all_) {
    object_ref made = new_dictionary();
    xpc_object_t to = made.get();
    set(to, "pid", static_cast<std::int64_t>(pid));
    set(to, "user", static_cast<std::int64_t>(one->user));
    set(to, "start-ticks", static_cast<std::int64_t>(one->is.process.start_ticks));
    set(to, "pidfd-inode", static_cast<std::int64_t>(one->is.process.pidfd_inode));
    set(to, "path", one->is.path);
    set(to, "device", static_cast<std::int64_t>(one->is.device));
    set(to, "inode", static_cast<std::int64_t>(one->is.inode));
    out.keep(to, "pidfd", one->pidfd.get());
    object_ref labels = new_array();
    for (const std::string& label : one->labels) append(labels.get(), new_string(label));
    set(to, "labels", std::move(labels));
    append(list.get(), std::move(made));
  }
  set(into, "applications", std::move(list));
}

void applications::resume(xpc_object_t given, handover::incoming& in) {
  xpc_object_t list = get_object(given, "applications");
  for (std::size_t at = 0; list != nullptr && at < ::xpc_array_get_count(list); ++at) {
    xpc_object_t one = ::xpc_array_get_value(list, at);
    auto number = [&](const char* key) { return get_integer(one, key).value_or(0); };
    executable is;
    is.process.pid = static_cast<pid_t>(number("pid"));
    is.process.start_ticks = static_cast<std::uint64_t>(number("start-ticks"));
    is.process.pidfd_inode = static_cast<std::uint64_t>(number("pidfd-inode"));
    is.path = get_text(one, "path").value_or("");
    is.device = static_cast<dev_t>(number("device"));
    is.inode = static_cast<ino_t>(number("inode"));
    const pid_t pid = is.process.pid;
    const auto user = static_cast<uid_t>(get_integer(one, "user").value_or(::geteuid()));
    application* of = add(std::move(is), user, in.take(one, "pidfd"));
    xpc_object_t labels = get_object(one, "labels");
    for (std::size_t i = 0; labels != nullptr && i < ::xpc_array_get_count(labels); ++i) {
      const char* text = ::xpc_array_get_string(labels, i);
      const std::string label = text ? text : "";
      if (!jobs_.private_job_of(label).loaded) continue;
      if (of == nullptr) {
        let_go(label);
        continue;
      }
      of->labels.insert(label);
      users_[label].insert(pid);
    }
  }
}

std::string applications::shown_name(const std::string& label) {
  const std::size_t at = label.find(separator);
  return at == std::string::npos ? label : label.substr(at + 1);
}

outcome<std::string> applications::label_of(pid_t pid, const std::string& name) const {
  auto at = all_.find(pid);
  if (at != all_.end()) {
    for (const std::string& label : at->second->labels) {
      const std::string shown = shown_name(label);
      const bool is_it = shown == name || shown.substr(0, shown.find(separator)) == name;
      if (is_it && jobs_.private_job_of(label).loaded) return label;
    }
  }
  return trouble{trouble::kind::not_found,
                 pid_text(pid) + "/" + name + ": this process has asked for no such service"};
}

outcome<object_ref> applications::list(pid_t pid) const {
  auto at = all_.find(pid);
  object_ref all = new_array();
  if (at != all_.end()) {
    for (const std::string& label : at->second->labels) {
      outcome<object_ref> job = jobs_.describe(label, false);
      if (!job) continue;
      object_ref one = new_dictionary();
      set(one.get(), "label", shown_name(label));
      for (const char* key : {"state", "pid", "last-exit"}) {
        if (xpc_object_t value = get_object(job->get(), key)) set(one.get(), key, retain(value));
      }
      append(all.get(), std::move(one));
    }
  }
  object_ref reply = new_dictionary();
  set(reply.get(), "jobs", std::move(all));
  return reply;
}

outcome<object_ref> applications::describe(pid_t pid, bool whole) const {
  object_ref reply = new_dictionary();
  object_ref all = new_array();
  auto at = all_.find(pid);
  if (at != all_.end()) {
    set(reply.get(), "program", at->second->is.path);
    for (const std::string& label : at->second->labels) {
      outcome<object_ref> job = jobs_.describe(label, whole);
      if (!job) continue;
      set(job->get(), "label", shown_name(label));
      append(all.get(), std::move(*job));
    }
  }
  set(reply.get(), "jobs", std::move(all));
  set(reply.get(), "pid", static_cast<std::int64_t>(::getpid()));
  set(reply.get(), "directory", directory_.path());
  set(reply.get(), "application", static_cast<std::int64_t>(pid));
  return reply;
}

}  // namespace openxpc::bundle
