#include "supervise/bounded_look.hpp"

#include "supervise/served_mount.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

namespace openxpc::supervise {

namespace {

constexpr std::chrono::seconds usual_patience{4};
/// Each that hangs keeps a thread.
constexpr std::size_t most_hanging = 16;

/// What a look that hangs is known by.
std::string key_of(const std::string& path) {
  const std::string mount = served_mount_of(path);
  return mount.empty() ? path : mount;
}

trouble no_answer(const std::string& path, const std::string& more) {
  return {trouble::kind::unavailable, path + ": its file system does not answer" + more, ETIMEDOUT};
}

/// Whether a thread of ours waits for something, and be it for a file system, rather than for a
/// processor.
bool is_waiting(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  // NUMBER (NAME) STATE, and the name may hold anything.
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos || text.compare(name_end, 3, ") R") != 0;
}

}  // namespace

struct bounded_looks::shared {
  struct one {
    std::function<void()> work;
    std::string key;  // once it is waited for no longer
    std::atomic<bool> done = false;
  };
  std::mutex mutex;
  std::condition_variable asked, answered;
  std::shared_ptr<one> next;
  pid_t worker = 0;  // the thread that waits to be asked, or works and is waited for
  bool has_worker = false;
  bool over = false;
  std::multiset<std::string> hanging;
};

bounded_looks::bounded_looks(std::chrono::milliseconds patience)
    : patience_(patience), all_(std::make_shared<shared>()) {}

bounded_looks::~bounded_looks() {
  std::lock_guard lock(all_->mutex);
  all_->over = true;
  all_->asked.notify_all();
}

/// A thread serves one look after the other, until one of them is given up.
void bounded_looks::work_on(const std::shared_ptr<shared>& all) {
  std::unique_lock lock(all->mutex);
  all->worker = ::gettid();
  for (;;) {
    all->asked.wait(lock, [&] { return all->next != nullptr || all->over; });
    if (all->over) return;
    const std::shared_ptr<shared::one> mine = std::move(all->next);
    lock.unlock();
    mine->work();
    mine->work = nullptr;
    mine->done = true;  // before it waits for the lock, lest that be taken for a file system
    lock.lock();
    if (!mine->key.empty()) {
      all->hanging.erase(all->hanging.find(mine->key));
      return;
    }
    all->answered.notify_all();
  }
}

/// Without asking: what hangs there already.
failure_of bounded_looks::refused(const std::string& path) const {
  if (all_->hanging.empty()) return std::nullopt;
  if (all_->hanging.count(path) != 0 || all_->hanging.count(key_of(path)) != 0)
    return no_answer(path, " yet");
  if (all_->hanging.size() >= most_hanging)
    return no_answer(path, ", or would not be known to: too many others do not");
  return std::nullopt;
}

failure_of bounded_looks::begin_thread(const std::string& path) {
  // No signal is for it.
  sigset_t every, before;
  ::sigfillset(&every);
  ::pthread_sigmask(SIG_SETMASK, &every, &before);
  failure_of why;
  try {
    std::thread(work_on, all_).detach();
    all_->has_worker = true;
  } catch (const std::system_error& error) {
    why = system_trouble(error.code().value(), path + ": a thread to look at it");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return why;
}

failure_of bounded_looks::run(const std::string& path, std::function<void()> work) {
  std::unique_lock lock(all_->mutex);
  if (failure_of why = refused(path)) return why;
  if (!all_->has_worker) {
    if (failure_of why = begin_thread(path)) return why;
  }
  auto mine = std::make_shared<shared::one>();
  mine->work = std::move(work);
  all_->next = mine;
  all_->asked.notify_one();
  while (!all_->answered.wait_for(lock, patience_, [&] { return mine->done.load(); })) {
    // A machine that is busy is no file system that hangs.
    if (all_->next == mine || !is_waiting(all_->worker) || mine->done) continue;
    mine->key = key_of(path);
    all_->hanging.insert(mine->key);
    all_->has_worker = false;
    return no_answer(path, "");
  }
  return std::nullopt;
}

std::multiset<std::string> bounded_looks::hanging() const {
  std::lock_guard lock(all_->mutex);
  return all_->hanging;
}

bounded_looks& looks() {
  static auto* forever = new bounded_looks(usual_patience);  // its threads may outlive statics
  return *forever;
}

}  // namespace openxpc::supervise
