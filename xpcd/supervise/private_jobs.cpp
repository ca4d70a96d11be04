// Jobs that no name leads to: their sockets, and loading them.

#include "supervise/private_place.hpp"
#include "supervise/supervisor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
  apply(job, event::load);
  return std::nullopt;
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

std::vector<std::string> supervisor::private_labels_of(const std::string& name) const {
  std::vector<std::string> found;
  for (const auto& [label, job] : jobs_) {
    if (job->apart && !job->job.names.empty() && job->job.names.front() == name) {
      found.push_back(label);
    }
  }
  return found;
}

}  // namespace openxpc::supervise
