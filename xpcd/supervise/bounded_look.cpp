#include "supervise/bounded_look.hpp"

#include "supervise/served_mount.hpp"

#include <asio/post.hpp>

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace openxpc::supervise {

namespace {

constexpr std::chrono::seconds usual_patience{4};
/// Each that hangs keeps a thread, and each that is under way.
constexpr std::size_t most_hanging = 16, most_under_way = 64;

/// What a look that hangs is known by.
std::string key_of(const std::string& path) {
  const std::string mount = served_mount_of(path);
  return mount.empty() ? path : mount;
}

trouble no_answer(const std::string& path, const std::string& more) {
  return {trouble::kind::unavailable, path + ": its file system does not answer" + more, ETIMEDOUT};
}

trouble not_yet(const std::string& path) {
  return {trouble::kind::unavailable, path + ": its file system has not answered yet", EAGAIN};
}

/// Whether a thread waits for something, and be it for a file system, rather than for a processor.
bool is_waiting(const std::string& directory_in_proc) {
  std::ifstream status(directory_in_proc + "/stat");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  // NUMBER (NAME) STATE, and the name may hold anything.
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos || text.compare(name_end, 3, ") R") != 0;
}

}  // namespace

/// A look, as its thread knows it.
struct bounded_looks::one {
  std::function<void()> work;
  std::string path;
  helper_process helper;
  std::string key;    // once the loop goes on without it
  bool left = false;  // and its thread is to say when it is done
  bool given_up = false;
  pid_t thread = 0;
  std::atomic<bool> done = false;
  /// On a machine that is busy none is given up. The lock is held.
  bool stands_still() const {
    if (thread == 0 || done || !is_waiting("/proc/self/task/" + std::to_string(thread)))
      return false;
    const pid_t other = helper ? helper->load() : 0;
    return other == 0 || is_waiting("/proc/" + std::to_string(other));
  }
};

/// What all threads have in common.
struct bounded_looks::shared {
  std::mutex mutex;
  std::condition_variable asked, answered;
  std::shared_ptr<one> next;
  bool has_worker = false;  // a thread that waits to be asked, or works and is waited for
  bounded_looks* owner = nullptr;
  std::multiset<std::string> hanging;
};

bounded_looks::bounded_looks(milliseconds patience, milliseconds moment)
    : patience_(patience), moment_(moment), all_(std::make_shared<shared>()) {
  all_->owner = this;
}

bounded_looks::~bounded_looks() {
  std::lock_guard lock(all_->mutex);
  all_->owner = nullptr;
  all_->asked.notify_all();
}

/// A thread serves one look after the other, until it is left with one.
void bounded_looks::work_on(const std::shared_ptr<shared>& all, std::shared_ptr<one> first,
                            mode_t mask) {
  // The loop changes the process's for a moment when it binds a socket; a file that is made by a
  // look, or by a process that begins here, must not be made in that one.
  if (::unshare(CLONE_FS) == 0) ::umask(mask);
  std::unique_lock lock(all->mutex);
  for (std::shared_ptr<one> mine = std::move(first);; mine = nullptr) {
    if (!mine) {
      all->asked.wait(lock, [&] { return all->next != nullptr || all->owner == nullptr; });
      if (all->owner == nullptr) return;
      mine = std::move(all->next);
    }
    mine->thread = ::gettid();
    lock.unlock();
    mine->work();
    mine->work = nullptr;
    mine->done = true;  // before it waits for the lock, lest that be taken for a file system
    lock.lock();
    all->answered.notify_all();
    if (!mine->left) continue;
    if (mine->given_up) {
      all->hanging.erase(all->hanging.find(mine->key));
    } else if (all->owner != nullptr) {
      asio::post(*all->owner->loop_, [all, mine] {
        if (all->owner != nullptr) all->owner->tell(mine);
      });
    }
    return;
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

/// Gives it to the thread that waits for work, or, when the loop will not wait for it, to a new
/// one. The lock is held.
failure_of bounded_looks::hand_out(const std::shared_ptr<one>& mine) {
  const bool apart = mine->left;
  if (apart || !all_->has_worker) {
    // No signal is for it.
    sigset_t every, before;
    ::sigfillset(&every);
    ::pthread_sigmask(SIG_SETMASK, &every, &before);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    failure_of why;
    try {
      std::thread(work_on, all_, apart ? mine : nullptr, mask).detach();
    } catch (const std::system_error& error) {
      why = system_trouble(error.code().value(), mine->path + ": a thread to look at it");
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (why) return why;
  }
  if (apart) return std::nullopt;
  all_->has_worker = true;
  all_->next = mine;
  all_->asked.notify_one();
  return std::nullopt;
}

/// The look under way at the same file system.
bounded_looks::waiting* bounded_looks::same_place(const std::string& path) {
  if (under_way_.empty()) return nullptr;
  auto at = under_way_.find(path);
  if (at == under_way_.end()) at = under_way_.find(key_of(path));
  return at == under_way_.end() ? nullptr : &at->second;
}

/// For the thread that was asked last. False when it stands still.
bool bounded_looks::wait(const std::shared_ptr<one>& mine, milliseconds time) {
  std::unique_lock lock(all_->mutex);
  while (!all_->answered.wait_for(lock, time, [&] { return mine->done.load(); })) {
    if (mine->stands_still()) return false;
  }
  return true;
}

/// The loop goes on without it.
void bounded_looks::leave(const std::shared_ptr<one>& mine, told then) {
  std::string key = key_of(mine->path);
  waiting& place = under_way_[key];
  place.look = mine;
  place.then = std::move(then);
  time_out(key);
  std::lock_guard lock(all_->mutex);
  mine->key = std::move(key);
  mine->left = !mine->done;
  all_->has_worker = !mine->left;
  // Otherwise its thread has no reason to say that it is done, and serves on.
  if (mine->left) return;
  asio::post(*loop_, [all = all_, mine] {
    if (all->owner != nullptr) all->owner->tell(mine);
  });
}

void bounded_looks::time_out(const std::string& key) {
  waiting& place = under_way_.at(key);
  place.timer = std::make_unique<asio::steady_timer>(*loop_, patience_);
  place.timer->async_wait([all = all_, key](const asio::error_code& error) {
    if (!error && all->owner != nullptr) all->owner->on_timer(key);
  });
}

void bounded_looks::on_timer(const std::string& key) {
  auto at = under_way_.find(key);
  // A wait that was done already when the timer went with its look still arrives here.
  if (at == under_way_.end() || at->second.timer->expiry() > asio::steady_timer::clock_type::now())
    return;
  std::unique_lock lock(all_->mutex);
  const bool hangs = at->second.look->stands_still();
  if (hangs) {
    at->second.look->given_up = true;
    all_->hanging.insert(key);
  }
  lock.unlock();
  if (hangs) return give_up(key);
  time_out(key);
}

void bounded_looks::give_up(const std::string& key) {
  waiting place = std::move(under_way_.extract(key).mapped());
  if (place.then) place.then(no_answer(place.look->path, ""));
  for (auto& [look, then] : place.behind) then(no_answer(look->path, " yet"));
  check_quiet();
}

void bounded_looks::tell(const std::shared_ptr<one>& ended) {
  auto at = under_way_.find(ended->key);
  if (at == under_way_.end() || at->second.look != ended) return;
  waiting place = std::move(under_way_.extract(at).mapped());
  const told then = std::move(place.then);
  go_on(std::move(place));
  if (then) then(std::nullopt);
  check_quiet();
}

/// With the next of those that waited behind one.
void bounded_looks::go_on(waiting place) {
  while (!place.behind.empty()) {
    auto [look, then] = std::move(place.behind.front());
    place.behind.pop_front();
    const std::string key = place.look->key;
    std::unique_lock lock(all_->mutex);
    look->key = key;
    look->left = true;
    failure_of why = hand_out(look);
    lock.unlock();
    if (why) {
      then(std::move(why));
      continue;
    }
    waiting& next = under_way_[key];
    next.look = look;
    next.then = std::move(then);
    next.behind = std::move(place.behind);
    return time_out(key);
  }
}

void bounded_looks::begin(const std::string& path, std::function<void()> work, told then,
                          helper_process helper) {
  auto mine = std::make_shared<one>();
  mine->work = std::move(work);
  mine->path = path;
  mine->helper = std::move(helper);
  std::unique_lock lock(all_->mutex);
  failure_of why = refused(path);
  lock.unlock();
  if (why) return then(std::move(why));
  if (waiting* before = same_place(path)) {
    before->behind.emplace_back(std::move(mine), std::move(then));
    return;
  }
  if (under_way_.size() >= most_under_way) return then(not_yet(path));
  lock.lock();
  why = hand_out(mine);
  lock.unlock();
  if (why) return then(std::move(why));
  if (wait(mine, loop_ != nullptr ? moment_ : patience_)) return then(std::nullopt);
  if (loop_ != nullptr) return leave(mine, std::move(then));
  lock.lock();
  if (mine->done) {
    lock.unlock();
    return then(std::nullopt);
  }
  mine->key = key_of(path);
  mine->left = mine->given_up = true;
  all_->hanging.insert(mine->key);
  all_->has_worker = false;
  lock.unlock();
  then(no_answer(path, ""));
}

failure_of bounded_looks::run(const std::string& path, std::function<void()> work) {
  if (same_place(path) != nullptr) return not_yet(path);
  struct result {
    bool told = false, wanted = true;
    failure_of why;
  };
  auto mine = std::make_shared<result>();
  begin(
      path, std::move(work),
      [mine](failure_of why) {
        mine->told = true;
        if (mine->wanted) mine->why = std::move(why);
      },
      nullptr);
  mine->wanted = false;
  return mine->told ? mine->why : not_yet(path);
}

void bounded_looks::settle(const std::function<bool()>& enough) {
  while (!under_way_.empty() && !enough()) {
    std::shared_ptr<one> ended;
    std::unique_lock lock(all_->mutex);
    all_->answered.wait(lock, [&] {
      for (const auto& [key, place] : under_way_)
        if (place.look->done) ended = place.look;
      return ended != nullptr;
    });
    lock.unlock();
    tell(ended);
  }
}

void bounded_looks::when_quiet(base::function<void()> quiet) {
  await_quiet_.push_back(std::move(quiet));
  check_quiet();
}

void bounded_looks::check_quiet() {
  if (!under_way_.empty()) return;
  auto all = std::exchange(await_quiet_, {});
  for (auto& told_so : all) told_so();
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
