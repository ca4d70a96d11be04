#include "supervise/cgroup.hpp"

#include "base/clock.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace openxpc::supervise {

namespace {

constexpr int most_groups = 16;  // of one job at a time
constexpr std::string_view domain_prefix = "xpc-";
constexpr std::string_view manager_suffix = ".manager";

/// These files are made by the kernel: never created, never truncated. Returns errno or 0.
int write_file(int borrowed_directory, const char* name, std::string_view text) {
  base::fd file(::openat(borrowed_directory, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return errno;
  if (::write(file.get(), text.data(), text.size()) < 0) return errno;
  return 0;
}

std::string read_file(int borrowed_directory, const char* name) {
  base::fd file(::openat(borrowed_directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return {};
  std::string all;
  char part[1024];
  for (ssize_t got; (got = ::read(file.get(), part, sizeof part)) > 0;) {
    all.append(part, static_cast<std::size_t>(got));
  }
  return all;
}

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \n");
    if (text.substr(0, end) == word) return true;
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return false;
}

base::fd open_directory(int at, const char* path) {
  return base::fd(::openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

/// Names in a directory that begin so.
template <class F>
void each_entry(int borrowed_directory, std::string_view beginning, F f) {
  base::fd again = open_directory(borrowed_directory, ".");
  DIR* stream = again ? ::fdopendir(again.get()) : nullptr;
  if (stream == nullptr) return;
  (void)again.release();
  while (const dirent* entry = ::readdir(stream)) {
    if (std::string_view(entry->d_name).substr(0, beginning.size()) == beginning) f(entry->d_name);
  }
  ::closedir(stream);
}

/// Microseconds of each 100 ms.
constexpr std::uint64_t quota_period = 100000;

std::string text_of(const job::group_limit& limit) {
  if (limit.key != "CPUQuota") return std::to_string(limit.value);
  return std::to_string(limit.value * quota_period / 100) + " " + std::to_string(quota_period);
}

/// Whether what the kernel says is what it was told. Memory it counts in whole pages, and more than
/// it can count is no limit.
bool is_in_force(const job::group_limit& limit, std::string_view read) {
  const std::string asked = text_of(limit);
  if (!read.empty() && read.back() == '\n') read.remove_suffix(1);
  if (limit.key == "IOWeight") return read == "default " + asked;
  if (limit.key.compare(0, 6, "Memory") != 0) return read == asked;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(read.data(), read.data() + read.size(), number);
  if (error != std::errc() || end != read.data() + read.size()) {
    constexpr std::uint64_t most = INT64_MAX;
    return read == "max" && limit.value >= most / page * page;
  }
  return number <= limit.value && limit.value - number < page;
}

/// Of a group; tells poll(2) of a change after the last reading.
base::fd open_events(int borrowed_directory) noexcept {
  return base::fd(::openat(borrowed_directory, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

/// Whether a process is left in the group, or in one below it.
bool says_populated(int borrowed_events) noexcept {
  char text[256];
  const ssize_t got = ::pread(borrowed_events, text, sizeof text, 0);
  return got > 0 && std::string_view(text, static_cast<std::size_t>(got)).find("populated 1") !=
                        std::string_view::npos;
}

trouble limit_trouble(const job::group_limit& limit, const std::string& why) {
  return {trouble::kind::bad_input, "CgroupLimits/" + limit.key + ": " + why};
}

failure_of put_in_force(const job_cgroup& group, const job::group_limit& limit) {
  const job::group_limit_rule& rule = *job::find_group_limit(limit.key);
  const std::string file = group.path() + "/" + rule.file;
  if (const int error = write_file(group.borrowed_fd(), rule.file, text_of(limit))) {
    return limit_trouble(limit, file + ": " + std::strerror(error));
  }
  const std::string read = read_file(group.borrowed_fd(), rule.file);
  if (is_in_force(limit, read)) return std::nullopt;
  return limit_trouble(limit, file + " does not keep " + text_of(limit) + ", it says " +
                                  (read.empty() ? "nothing" : read.substr(0, read.find('\n'))));
}

}  // namespace

bool job_cgroup::is_populated() const noexcept {
  if (!directory_) return false;
  base::fd events(open_events(directory_.get()));
  return says_populated(events.get());
}

void job_cgroup::kill() const noexcept {
  // An empty group that is killed all the same is none that anybody can be born in afterwards
  // (new_process.hpp).
  if (!is_populated()) return;
  if (write_file(directory_.get(), "cgroup.kill", "1") == 0) return;
  // Before Linux 5.14: one by one, again while they make new ones.
  for (int round = 0; round < 100 && is_populated(); ++round) {
    base::fd list(::openat(directory_.get(), "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::FILE* stream = list ? ::fdopen(list.get(), "r") : nullptr;
    if (stream == nullptr) return;
    (void)list.release();
    for (int pid = 0; std::fscanf(stream, "%d", &pid) == 1;) {
      if (pid > 1 && pid != ::getpid()) ::kill(pid, SIGKILL);
    }
    std::fclose(stream);
  }
}

cgroups::cgroups(outcome<std::string> own, std::string name) : name_(std::move(name)) {
  if (own) {
    own_ = std::move(*own);
    // An xpcd that became another one by exec may have left its group (leave_own_group), and one
    // may be started in a group that is for it alone.
    if (own_.ends_with(manager_suffix)) own_.resize(own_.rfind('/'));
  } else {
    why_not_ = own.error().text;
    tried_ = true;
  }
}

/// What was killed a moment ago may still be on its way out: the kernel says when a group is empty.
/// It says so before it counts the group out of the one above, which it would not let go yet; so
/// the domain's own is asked.
void cgroups::remove() noexcept {
  if (!domain_fd_) return;
  // Of processes that were left to themselves nobody can know how long they stay.
  constexpr std::chrono::milliseconds patience(1000), between(100);
  const base::instant late = base::from_now(patience);
  const base::fd events = open_events(domain_fd_.get());
  pollfd changed{events.get(), POLLPRI, 0};
  while (says_populated(events.get()) && base::boot_clock::now() < late) {
    ::poll(&changed, 1, between.count());
  }
  // Also what an xpcd before us, or another domain whose number this one got, left of jobs that
  // nobody has described to us.
  forgotten_.merge(used_);
  sweep();
  ::unlinkat(own_fd_.get(), name_.c_str(), AT_REMOVEDIR);
  domain_fd_.reset();
}

/// Makes the domain's group, if it is not there, and holds it, so that it is not an abandoned one.
/// Others look at it while nobody holds it yet: then it is locked for a moment, or gone. One that
/// is locked for longer, by whomever, is used all the same.
bool cgroups::take_domain_group() {
  constexpr int attempts = 20;
  constexpr timespec a_moment{0, 5'000'000};
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (::mkdirat(own_fd_.get(), name_.c_str(), 0755) < 0 && errno != EEXIST) return false;
    base::fd opened = open_directory(own_fd_.get(), name_.c_str());
    const int error = errno;
    domain_fd_ = std::move(opened);
    if (!domain_fd_ && error == ENOENT) continue;
    if (!domain_fd_) {
      errno = error;
      return false;
    }
    if (::flock(domain_fd_.get(), LOCK_SH | LOCK_NB) < 0) {
      if (errno != EWOULDBLOCK) return false;
      ::nanosleep(&a_moment, nullptr);
      continue;
    }
    struct stat held{}, named{};
    if (::fstat(domain_fd_.get(), &held) == 0 &&
        ::fstatat(own_fd_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        held.st_ino == named.st_ino) {
      return true;
    }
  }
  return static_cast<bool>(domain_fd_);
}

/// Once; later calls give the same answer.
bool cgroups::open() {
  if (tried_) return static_cast<bool>(domain_fd_);
  tried_ = true;
  own_fd_ = open_directory(AT_FDCWD, own_.c_str());
  if (!own_fd_) {
    why_not_ = system_trouble(errno, own_).text;
    return false;
  }
  remove_abandoned();
  if (!take_domain_group()) {
    why_not_ = system_trouble(errno, own_ + "/" + name_).text;
    domain_fd_.reset();
    return false;
  }
  // Directories are numbered anew when they are gone: one of another user's may have left this.
  struct stat status{};
  if (::fstat(domain_fd_.get(), &status) < 0 || status.st_uid != ::geteuid()) {
    why_not_ = own_ + "/" + name_ + ": belongs to another user";
    domain_fd_.reset();
    return false;
  }
  // Of an xpcd before us, whose jobs may be ours.
  each_entry(domain_fd_.get(), "", [this](const char* entry) {
    if (std::strchr(entry, '@') != nullptr) used_.insert(entry);
  });
  return true;
}

/// Groups of domains whose xpcd was killed and never came back, once nothing runs in them.
void cgroups::remove_abandoned() const {
  each_entry(own_fd_.get(), domain_prefix, [this](const char* entry) {
    if (entry == name_) return;
    base::fd other = open_directory(own_fd_.get(), entry);
    if (!other || ::flock(other.get(), LOCK_EX | LOCK_NB) < 0) return;
    if (read_file(other.get(), "cgroup.events").find("populated 0") == std::string::npos) return;
    each_entry(other.get(), "", [&other](const char* group) {
      if (std::strchr(group, '@') != nullptr) ::unlinkat(other.get(), group, AT_REMOVEDIR);
    });
    ::unlinkat(own_fd_.get(), entry, AT_REMOVEDIR);
  });
}

/// A group that hands controllers down may have no process itself, the uppermost excepted.
failure_of cgroups::leave_own_group() {
  const std::string leaf = name_ + std::string(manager_suffix);
  if (::mkdirat(own_fd_.get(), leaf.c_str(), 0755) < 0 && errno != EEXIST) {
    return system_trouble(errno, own_ + "/" + leaf);
  }
  base::fd directory = open_directory(own_fd_.get(), leaf.c_str());
  if (const int error = write_file(directory.get(), "cgroup.procs", "0")) {
    return system_trouble(error, own_ + "/" + leaf);
  }
  return std::nullopt;
}

failure_of cgroups::enable(const char* controller) {
  const std::string more = std::string("+") + controller;
  if (!has_word(read_file(domain_fd_.get(), "cgroup.controllers"), controller)) {
    if (!has_word(read_file(own_fd_.get(), "cgroup.controllers"), controller)) {
      return trouble{trouble::kind::unavailable,
                     "there is no " + std::string(controller) + " controller in " + own_};
    }
    int error = write_file(own_fd_.get(), "cgroup.subtree_control", more);
    if (error == EBUSY) {
      if (failure_of why = leave_own_group()) return why;
      error = write_file(own_fd_.get(), "cgroup.subtree_control", more);
    }
    if (error != 0) return system_trouble(error, own_ + "/cgroup.subtree_control");
  }
  if (has_word(read_file(domain_fd_.get(), "cgroup.subtree_control"), controller)) {
    return std::nullopt;
  }
  const int error = write_file(domain_fd_.get(), "cgroup.subtree_control", more);
  if (error == 0) return std::nullopt;
  return system_trouble(error, own_ + "/" + name_ + "/cgroup.subtree_control");
}

outcome<job_cgroup> cgroups::make(const std::string& label,
                                  const std::vector<job::group_limit>& limits) {
  if (!open()) {
    if (limits.empty()) return job_cgroup();
    return limit_trouble(limits.front(), "needs a cgroup of the job's own: " + why_not_);
  }
  for (const job::group_limit& one : limits) {
    if (failure_of why = enable(job::find_group_limit(one.key)->controller)) {
      return limit_trouble(one, why->text);
    }
  }
  for (int number = 0; number < most_groups; ++number) {
    const std::string name = label + "@" + std::to_string(number);
    // One that was given up may have limits of another description.
    if (forgotten_.count(name) != 0) continue;
    const bool made = ::mkdirat(domain_fd_.get(), name.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) {
      if (limits.empty()) return job_cgroup();
      return limit_trouble(limits.front(),
                           system_trouble(errno, own_ + "/" + name_ + "/" + name).text);
    }
    job_cgroup group(open_directory(domain_fd_.get(), name.c_str()),
                     own_ + "/" + name_ + "/" + name);
    if (!group || group.is_populated()) continue;
    used_.insert(name);
    for (const job::group_limit& one : limits) {
      if (failure_of why = put_in_force(group, one)) return *why;
    }
    return group;
  }
  if (limits.empty()) return job_cgroup();
  return limit_trouble(limits.front(), "all " + std::to_string(most_groups) +
                                           " cgroups of the job have processes left in them");
}

job_cgroup cgroups::find(pid_t pid, const std::string& label) {
  outcome<std::string> path = cgroup_directory_of(std::to_string(pid));
  if (!path) return {};
  const std::string beginning = "/" + name_ + "/" + label + "@";
  const std::size_t at = path->find(beginning);
  if (at == std::string::npos || path->find('/', at + beginning.size()) != std::string::npos) {
    return {};
  }
  (void)open();  // so that it is removed with the job
  return job_cgroup(open_directory(AT_FDCWD, path->c_str()), *path);
}

void cgroups::forget(const std::string& label) {
  const std::string beginning = label + "@";
  for (auto at = used_.lower_bound(beginning);
       at != used_.end() && at->compare(0, beginning.size(), beginning) == 0;) {
    forgotten_.insert(*at);
    at = used_.erase(at);
  }
  sweep();
}

void cgroups::forget_group(const std::string& name) {
  if (!open()) return;
  used_.erase(name);
  forgotten_.insert(name);
}

void cgroups::sweep() {
  for (auto at = forgotten_.begin(); at != forgotten_.end();) {
    const bool gone =
        ::unlinkat(domain_fd_.get(), at->c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT;
    at = gone ? forgotten_.erase(at) : std::next(at);
  }
}

}  // namespace openxpc::supervise
