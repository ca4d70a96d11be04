// xpcd: options, signals, the loop; everything else stands in the folders beside this file.

#include "base/notify_socket.hpp"
#include "control/control.hpp"
#include "domain/location.hpp"
#include "supervise/bounded_look.hpp"
#include "supervise/output_watch.hpp"
#include "supervise/supervisor.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "bundle/applications.hpp"
#include "check_state.hpp"
#include "handover/successor.hpp"
#include "load.hpp"
#include "log.hpp"
#include "options.hpp"

namespace openxpc {
namespace {

int exit_code_of(const trouble& why) {
  switch (why.what) {
    case trouble::kind::bad_input:
      return EX_USAGE;
    case trouble::kind::not_found:
      return EX_NOINPUT;
    case trouble::kind::conflict:
      return EX_UNAVAILABLE;
    case trouble::kind::denied:
      return EX_NOPERM;
    case trouble::kind::unavailable:
      return EX_OSERR;
  }
  return EX_SOFTWARE;
}

int report(const trouble& why) {
  log_line(weight::error, why.text);
  return exit_code_of(why);
}

/// Everything that this process says goes to the end of that file; empty: where it went before.
failure_of log_to(const std::string& path) {
  if (path.empty()) return std::nullopt;
  base::fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file || ::dup2(file.get(), 2) < 0) return system_trouble(errno, "--log " + path);
  return std::nullopt;
}

/// As many descriptors as the system allows: each name is one. @return what the soft limit was, for
/// the services.
std::uint64_t raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

/// Where a unit of systemd started this xpcd it is told how it fares, from the loop: one that hangs
/// gives no sign of life, and its jobs are taken over by the next.
class unit_link {
 public:
  explicit unit_link(asio::io_context& loop) : timer_(loop) {}
  void ready() {
    who_.tell("READY=1");
    beat();
  }
  void stopping() const { who_.tell("STOPPING=1"); }
  /// Until it is ready again, as another program perhaps.
  void reloading() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    who_.tell("RELOADING=1\nMONOTONIC_USEC=" +
              std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
  }
  void ready_again() const { who_.tell("READY=1"); }
  void stop() { timer_.cancel(); }

 private:
  void beat() {
    if (who_.sign_of_life().count() == 0) return;
    who_.tell("WATCHDOG=1");
    timer_.expires_after(who_.sign_of_life());
    timer_.async_wait([this](const asio::error_code& error) {
      if (!error) beat();
    });
  }
  base::notify_socket who_;
  asio::steady_timer timer_;
};

void tell_ready(int fd) {
  if (fd >= 0) {
    constexpr char text[] = "ready\n";
    if (::write(fd, text, sizeof text - 1) < 0) {
      log_line(weight::warning, system_trouble(errno, "--ready-fd").text);
    }
    // A standard descriptor stays taken: nothing else must get its number.
    base::fd null(fd < 3 ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : -1);
    if (!null || ::dup2(null.get(), fd) < 0) ::close(fd);
  }
}

/// Calls `gone` when the domain's directory or its lock is no longer where it was.
class directory_watch {
 public:
  directory_watch(asio::io_context& loop, const domain::directory& directory,
                  std::function<void()> gone)
      : directory_(directory),
        gone_(std::move(gone)),
        events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
        watch_(loop) {
    const std::string path = "/proc/self/fd/" + std::to_string(directory.borrowed_fd());
    if (events_ && ::inotify_add_watch(events_.get(), path.c_str(),
                                       IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF |
                                           IN_ONLYDIR) >= 0) {
      wait();
    } else {
      log_line(weight::error, system_trouble(errno, "the domain's directory is not watched").text);
    }
  }
  void stop() { watch_.stop(); }

 private:
  void wait() {
    watch_.start(events_.get(), [this] {
      char buffer[4096];
      while (::read(events_.get(), buffer, sizeof buffer) > 0) {
      }
      if (directory_.is_in_place()) return wait();
      log_line(weight::warning, directory_.path() + " was removed or moved; stopping");
      gone_();
    });
  }

  const domain::directory& directory_;
  std::function<void()> gone_;
  base::fd events_;
  supervise::watch watch_;
};

/// The signals that end xpcd, and the one that tells of children.
class signals {
 public:
  signals(asio::io_context& loop, std::function<void()> end, std::function<void()> child)
      : set_(loop, SIGTERM, SIGINT, SIGCHLD), end_(std::move(end)), child_(std::move(child)) {
    // Asio's handlers interrupt whatever system call is under way.
    for (const int each : {SIGTERM, SIGINT, SIGCHLD}) {
      struct sigaction how{};
      ::sigaction(each, nullptr, &how);
      how.sa_flags |= SA_RESTART;
      ::sigaction(each, &how, nullptr);
    }
    wait();
  }
  void stop() { set_.cancel(); }

 private:
  void wait() {
    set_.async_wait([this](const asio::error_code& error, int number) {
      if (error) return;
      if (number == SIGCHLD) {
        child_();
      } else {
        end_();
      }
      wait();
    });
  }
  asio::signal_set set_;
  std::function<void()> end_, child_;
};

/// What the xpcd gave that became this one; nothing where there was none, or it cannot be read:
/// then all is as if that one had been killed.
object_ref take_handover(int owned_fd) {
  if (owned_fd < 0) return nullptr;
  const base::fd file(owned_fd);
  outcome<object_ref> state = handover::read(file.get());
  if (state) {
    ::prctl(PR_SET_NAME, "xpcd");  // an exec by descriptor knows no name
    return std::move(*state);
  }
  log_line(weight::error, state.error().text);
  // The lock is among them, and would be in the way.
  ::syscall(SYS_close_range, 3, ~0U, 0);
  return nullptr;
}

outcome<domain::directory> open_directory(const domain::location& where, xpc_object_t given,
                                          handover::incoming& came) {
  if (given == nullptr) return domain::directory::open(where.directory, where.system);
  domain::directory::parts from{came.take(given, "directory"), came.take(given, "lock"),
                                came.take(given, "run-directory"),
                                get_bool(given, "made-directory").value_or(false)};
  return domain::directory::resume(where.directory, where.system, std::move(from));
}

/// Everything that the one before had, or what one that was killed left, and what is to be loaded.
failure_of start(const options& wanted, const domain::location& where, xpc_object_t given,
                 handover::incoming& came, supervise::supervisor& jobs,
                 bundle::applications& applications, control::service& control) {
  if (given != nullptr) {
    jobs.resume(given, came);
    applications.resume(given, came);
    return control.resume(given, came);
  }
  jobs.take_over();
  applications.take_over();
  load_jobs(jobs, wanted.jobs.empty() ? where.jobs : wanted.jobs, where.system);
  return control.open();
}

int run(const options& wanted) {
  outcome<domain::location> where = domain::locate(wanted.domain, wanted.system);
  if (!where) return report(where.error());
  object_ref given = take_handover(wanted.handover_fd);
  auto came = given ? std::make_unique<handover::incoming>(given.get())
                    : std::make_unique<handover::incoming>();
  outcome<domain::directory> directory = open_directory(*where, given.get(), *came);
  if (!directory) return report(directory.error());

  // Orphans of services come to us, so that we know of them.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGPIPE, SIG_IGN);

  // Never destroyed: a thread of the library may still hand it work while the process ends.
  asio::io_context& loop = *new asio::io_context(1);
  supervise::supervisor_options options;
  options.descriptor_limit = raise_descriptor_limit();
  if (given) {
    options.descriptor_limit =
        static_cast<std::uint64_t>(get_integer(given.get(), "descriptor-limit").value_or(0));
  }
  options.state_directory = wanted.state.value_or(where->state);
  options.system_directory = where->system_directory;
  options.job_directories = wanted.jobs.empty() ? where->jobs : wanted.jobs;
  if (wanted.idle_exit) options.idle_exit = std::chrono::seconds(*wanted.idle_exit);
  if (wanted.check_in_time) options.check_in_time = std::chrono::seconds(*wanted.check_in_time);
  if (!wanted.hardened_group.empty()) options.hardened_group = wanted.hardened_group;
  if (wanted.file_time) supervise::looks().set_patience(std::chrono::seconds(*wanted.file_time));
  supervise::supervisor jobs(loop, *directory, options);
  bundle::applications applications(loop, *directory, jobs);
  control::service control(loop, *directory, jobs, applications);

  unit_link unit(loop);
  bool ending = false;
  std::function<void()> end = [&] {
    if (ending) return;
    ending = true;
    unit.stopping();
    jobs.shut_down([&] { control.close([&] { loop.stop(); }); });
  };
  handover::successor next(loop, *directory, jobs, applications, control,
                           {wanted.lasting, options.check_in_time, [&] { return ending; },
                            [&] { unit.reloading(); }, [&] { unit.ready_again(); }},
                           given.get());
  control.set_manager(&next);
  signals on_signal(loop, end, [&] { jobs.reap(); });
  if (given) handover::release_signals();
  directory_watch on_removal(loop, *directory, end);
  supervise::output_watch on_output(loop, directory->borrowed_run_fd(),
                                    [&](const std::string& label) { jobs.on_output(label); });

  if (failure_of why = start(wanted, *where, given.get(), *came, jobs, applications, control)) {
    return report(*why);
  }
  came.reset();
  given.reset();
  supervise::looks().serve_on(loop);
  // Nobody was told when it was removed before it was watched.
  if (!directory->is_in_place()) end();
  jobs.reap();
  tell_ready(wanted.ready_fd);
  unit.ready();
  loop.run();
  unit.stop();
  on_removal.stop();
  on_output.stop();
  directory->remove_traces();
  return 0;
}

}  // namespace
}  // namespace openxpc

int main(int argc, char** argv) {
  auto parsed = openxpc::parse_options(argc, argv);
  if (auto* early = std::get_if<openxpc::early_exit>(&parsed)) {
    std::fputs(early->text.c_str(), early->status == 0 ? stdout : stderr);
    return early->status;
  }
  const openxpc::options& wanted = std::get<openxpc::options>(parsed);
  if (wanted.check_state) return openxpc::check_state(wanted);
  if (openxpc::failure_of why = openxpc::log_to(wanted.log)) return openxpc::report(*why);
  return openxpc::run(wanted);
}
