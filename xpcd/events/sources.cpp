// The streams that xpcd itself publishes: a descriptor is readable, something changes at a path.

#include "supervise/bounded_look.hpp"
#include "supervise/supervisor.hpp"

#include <asio/post.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "events/job_events.hpp"

namespace openxpc::events {

namespace {

/// The type of file behind a descriptor, without a word to its file system, which may not answer.
/// Nothing that cannot be watched without asking it either.
bool can_be_watched(int file, std::string* trouble) {
  struct statx status{};
  if (::statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, STATX_TYPE,
              &status) < 0) {
    *trouble = std::strerror(errno);
    return false;
  }
  switch (status.stx_mode & S_IFMT) {
    case S_IFIFO:
    case S_IFCHR:
    case S_IFSOCK:
    case 0:  // the kernel's own: eventfd, timerfd, pidfd and their like
      return true;
    default:
      *trouble = "is neither a FIFO, a character device nor a socket";
      return false;
  }
}

/// Opened for reading and writing where that is possible: a FIFO whose last writer goes would be
/// readable for ever.
outcome<base::fd> open_as(const std::optional<supervise::credentials>& who,
                          const std::string& path) {
  auto failed = [](std::string text) {
    return trouble{trouble::kind::unavailable, std::move(text)};
  };
  const supervise::as_user user(who);
  if (!user.is_in_force()) return failed("the system does not let xpcd act for the job's user");
  const base::fd found(::open(path.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
  if (!found) return failed(std::strerror(errno));
  std::string why;
  if (!can_be_watched(found.get(), &why)) return failed(std::move(why));
  const std::string same = "/proc/self/fd/" + std::to_string(found.get());
  base::fd file;
  for (const int mode : {O_RDWR, O_RDONLY}) {
    file.reset(::open(same.c_str(), mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (file) return file;
  }
  return failed(std::strerror(errno));
}

}  // namespace

void streams::begin(entry& one) {
  if (one.from == job::event_source::adapter) return;
  if (one.path.empty()) {
    one.file.reset(::xpc_dictionary_dup_fd(one.content.get(), "Descriptor"));
    if (!one.file) {
      one.trouble = std::strerror(errno);
    } else if (can_be_watched(one.file.get(), &one.trouble)) {
      watch_file(one);
    } else {
      one.file.reset();
    }
    return;
  }
  one.watched = watcher_.add(one.path, [this, self = self_, label = one.label, where = one.where] {
    // What happens next may end the watch that is telling of this.
    asio::post(loop_, [self, label, where] {
      if (*self != nullptr) (*self)->on_path(label, where);
    });
  });
  if (one.from == job::event_source::descriptor) open_path(one);
}

void streams::open_path(entry& one) {
  one.trouble.clear();
  outcome<std::optional<supervise::credentials>> who = jobs_.identity_of(one.label);
  if (!who) {
    one.trouble = who.error().text;
    return;
  }
  one.trouble = "its file system has not answered yet";
  one.look = std::make_shared<entry*>(&one);
  supervise::looks().ask<base::fd>(
      one.path, [path = one.path, as = std::move(*who)] { return open_as(as, path); },
      [self = self_, look = std::weak_ptr(one.look)](outcome<base::fd> opened) {
        const std::shared_ptr<entry*> here = look.lock();
        if (*self != nullptr && here) (*self)->on_opened(**here, std::move(opened));
      });
}

void streams::on_opened(entry& one, outcome<base::fd> opened) {
  if (!opened) {
    one.trouble = opened.error().text;
    return;
  }
  one.file = std::move(*opened);
  watch_file(one);
}

void streams::watch_file(entry& one) {
  one.trouble.clear();
  if (!one.file) return;
  const bool watched =
      one.readable.start(one.file.get(), [self = self_, label = one.label, where = one.where] {
        if (*self != nullptr) (*self)->on_readable(label, where);
      });
  if (!watched) one.trouble = "cannot be watched";
}

void streams::on_readable(const std::string& label, const place& where) {
  job_ref job = find(label);
  if (!job) return;
  auto at = job->entries.find(where);
  if (at == job->entries.end()) return;
  entry& one = *at->second;
  one.readable.stop();  // until the job has handled this
  object_ref content = new_dictionary();
  ::xpc_dictionary_set_fd(content.get(), "Descriptor", one.file.get());
  if (!one.path.empty()) set(content.get(), "Path", one.path);
  if (!add(*job, one, std::move(content), false)) {
    one.trouble = "too many events wait";
    supervise::say(label, where.second + ": too many events wait; it is watched no more");
  }
}

void streams::on_path(const std::string& label, const place& where) {
  job_ref job = find(label);
  if (!job) return;
  auto at = job->entries.find(where);
  if (at == job->entries.end()) return;
  entry& one = *at->second;
  if (one.from == job::event_source::descriptor) {
    if (!one.file) open_path(one);
    return;
  }
  // Changes that nobody has been told of yet are told together.
  if (job->waiting.has_unsent(where.first, where.second)) return;
  object_ref content = new_dictionary();
  set(content.get(), "Path", one.path);
  if (!add(*job, one, std::move(content), true))
    supervise::say(label, where.second + ": too many events wait; a change is not told");
}

}  // namespace openxpc::events
