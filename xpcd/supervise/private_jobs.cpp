// Jobs that no name leads to: their sockets, and loading them.

#include "supervise/private_place.hpp"
#include "supervise/supervisor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace openxpc::supervise {

namespace {

/// Only for a moment, and only one at a time: xpcd has one thread that binds.
constexpr const char* unseen_file = ".private";

}  // namespace

outcome<domain::bound_name> publish_private(const domain::directory& in, private_place* place) {
  const int at = in.borrowed_run_fd();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", at, unseen_file);
  base::fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!listener || ::setsockopt(listener.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
    return system_trouble(errno, "private socket");
  }
  ::unlinkat(at, unseen_file, 0);  // of an xpcd that died in between
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return system_trouble(errno, "private socket");
  }
  // The right to connect is the descriptor: it may be another user's, if it was given to one.
  struct stat file;
  base::fd path;
  const bool good = ::fchmodat(at, unseen_file, in.is_system() ? 0666 : 0600, 0) == 0 &&
                    ::listen(listener.get(), domain::backlog) == 0 &&
                    (path = base::fd(::openat(at, unseen_file, O_PATH | O_CLOEXEC | O_NOFOLLOW))) &&
                    ::fstat(path.get(), &file) == 0;
  const int error = errno;
  ::unlinkat(at, unseen_file, 0);
  if (!good) return system_trouble(error, "private socket");
  place->endpoint = std::move(path);
  return domain::bound_name{std::move(listener), file.st_dev, file.st_ino};
}

failure_of supervisor::bootstrap_private(job::description what, const std::string& origin,
                                         std::unique_ptr<private_place> place) {
  const std::string label = what.label;
  if (shut_down_) return trouble{trouble::kind::unavailable, "xpcd is shutting down"};
  if (find(label)) return trouble{trouble::kind::conflict, label + ": is loaded already"};
  if (failure_of why = forbidden(what)) return why;
  job_ref job = std::make_shared<supervised>(loop_, std::move(what));
  job->object = new_dictionary();
  job->origin = origin;
  job->loaded = base::boot_clock::now();
  job->apart = std::move(place);
  if (failure_of why = bind_names(*job)) return why;
  jobs_[label] = job;
  note_private(job->job.names.front());
  apply(job, event::load);
  return std::nullopt;
}

/// Whoever else looks the name up is told that it is not for him.
void supervisor::note_private(const std::string& name) {
  const std::size_t count = private_jobs_named(name);
  if (count == 0) return unserved_.serve({name});
  unserved_.note({name}, "",
                 std::string("there is a service of that name in a bundle, which is ") +
                     "private to " + (count == 1 ? "another application" : "other applications"));
}

supervisor::private_job supervisor::private_job_of(const std::string& label) const {
  private_job result;
  const job_ref job = find(label);
  if (!job || !job->apart) return result;
  result.loaded = true;
  result.removing = job->at == state::removing || job->at == state::gone;
  result.endpoint = base::fd::copy(job->apart->endpoint.get());
  return result;
}

std::size_t supervisor::private_jobs_named(const std::string& name) const {
  std::size_t count = 0;
  for (const auto& [label, job] : jobs_) {
    count += job->apart && !job->job.names.empty() && job->job.names.front() == name;
  }
  return count;
}

std::vector<std::string> supervisor::left_private_jobs() const {
  std::vector<std::string> found;
  // A descriptor of its own: reading moves an offset, which duplicates would share.
  base::fd own(::openat(saved_.borrowed_fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* stream = own ? ::fdopendir(own.get()) : nullptr;
  if (stream == nullptr) return found;
  (void)own.release();
  while (const dirent* entry = ::readdir(stream)) {
    const std::string file = entry->d_name;
    const std::size_t dot = file.rfind('.');
    if (file.front() == '.' || file.find('@') == std::string::npos) continue;
    const std::string label = file.substr(0, dot);
    if (std::find(found.begin(), found.end(), label) == found.end()) found.push_back(label);
  }
  ::closedir(stream);
  return found;
}

bool supervisor::adopt_private(job::description what, const std::string& origin,
                               std::unique_ptr<private_place> place) {
  const std::string label = what.label;
  const std::optional<saved_run> run = saved_.load_run(label);
  base::fd pidfd = run ? open_process(run->id) : base::fd();
  if (find(label)) return false;
  if (!run || !pidfd) {
    saved_.forget(label);
    return false;
  }
  job_ref job = std::make_shared<supervised>(loop_, std::move(what));
  job->object = new_dictionary();
  job->origin = origin;
  job->loaded = base::boot_clock::now();
  job->apart = std::move(place);
  if (failure_of why = bind_names(*job)) {
    say(label, why->text);
    end_left_private_job(label);
    return false;
  }
  jobs_[label] = job;
  job->generation = run->generation;
  job->run.emplace(loop_);
  job->run->id = run->id;
  job->run->pidfd = std::move(pidfd);
  job->run->child = false;
  job->run->estranged = true;
  job->run->started = base::boot_clock::now();
  processes_[run->id.pid] = label;
  say(label, "still runs, pid " + std::to_string(run->id.pid));
  watch_exit(job);
  apply(job, event::adopt);
  return true;
}

void supervisor::end_left_private_job(const std::string& label) {
  const std::optional<saved_run> run = saved_.load_run(label);
  const base::fd pidfd = run ? open_process(run->id) : base::fd();
  if (pidfd) {
    say(label, "its application is gone, and so is it");
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  }
  saved_.forget(label);
}

}  // namespace openxpc::supervise
