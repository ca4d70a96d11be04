// Starting processes from a test. Between fork and exec the child makes only system calls, since
// the test may have threads; everything it needs is laid out before.
#include "support/child.hpp"

#include "base/poll_now.hpp"
#include "support/harness.hpp"
#include "support/patience.hpp"
#include "support/sanitizers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace xpc_testing {
namespace {

using openxpc::base::fd;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

struct pipe_pair {
  fd reader, writer;
};

pipe_pair make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe2");
  return {fd(ends[0]), fd(ends[1])};
}

std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> result;
  auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  for (char** entry = environ; *entry; ++entry) {
    bool changed = false;
    for (const std::string& change : changes) changed |= name_of(change) == name_of(*entry);
    if (!changed) result.emplace_back(*entry);
  }
  for (const std::string& change : changes)
    if (change.find('=') != std::string::npos) result.push_back(change);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string read_whole_file(int borrowed_fd) {
  std::string text;
  char chunk[4096];
  off_t offset = 0;
  for (ssize_t got; (got = ::pread(borrowed_fd, chunk, sizeof chunk, offset)) > 0; offset += got)
    text.append(chunk, static_cast<std::size_t>(got));
  return text;
}

// True when `events` came before patience ended.
bool wait_for(int borrowed_fd, short events) {
  pollfd waited{borrowed_fd, events, 0};
  int got;
  do got = ::poll(&waited, 1, static_cast<int>(patience().count()));
  while (got < 0 && errno == EINTR);
  return got == 1;
}

// The child's side of fork. The passed descriptors are first moved above all target numbers, so
// that none is overwritten before it was placed.
[[noreturn]] void become(char** arguments, char** environment, const char* directory, int input,
                         int output, int error, std::vector<int>& passed, pid_t parent) {
  auto fail = [](const char* step) {
    const char* reason = ::strerrorname_np(errno);
    for (const char* part : {"child: ", step, ": ", reason ? reason : "?", "\n"})
      (void)!::write(STDERR_FILENO, part, ::strlen(part));
    ::_exit(127);
  };
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int first_free = 3 + static_cast<int>(passed.size());
  input = ::fcntl(input, F_DUPFD_CLOEXEC, first_free);
  output = ::fcntl(output, F_DUPFD_CLOEXEC, first_free);
  if (error >= 0) error = ::fcntl(error, F_DUPFD_CLOEXEC, first_free);
  for (int& one : passed)
    if ((one = ::fcntl(one, F_DUPFD_CLOEXEC, first_free)) < 0) fail("passed descriptor");
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0) fail("dup2");
  if (error >= 0 && ::dup2(error, 2) < 0) fail("dup2");
  for (std::size_t i = 0; i < passed.size(); ++i)
    if (::dup2(passed[i], 3 + static_cast<int>(i)) < 0) fail("dup2");
  ::close_range(static_cast<unsigned>(first_free), ~0u, 0);
  if (*directory && ::chdir(directory) != 0) fail("chdir");
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  fail(arguments[0]);
  ::_exit(127);
}

}  // namespace

std::string this_program() {
  char path[4096];
  ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) give_up("/proc/self/exe");
  return std::string(path, static_cast<std::size_t>(length));
}

child child::role(const std::string& name, const child_options& options) {
  child_options with_count = options;
  with_count.environment.push_back("OPENXPC_TEST_ROLE_FDS=" +
                                   std::to_string(options.borrowed_fds.size()));
  std::vector<std::string> arguments{this_program(), "--xpc-role=" + name};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  return start(std::move(arguments), with_count);
}

child child::program(const std::string& path, const child_options& options) {
  std::vector<std::string> arguments{path};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  return start(std::move(arguments), options);
}

child child::start(std::vector<std::string> arguments, const child_options& options) {
  child started;
  pipe_pair input = make_pipe(), output = make_pipe();
  if (options.keep_stderr) {
    started.error_ = fd(::memfd_create("standard error", MFD_CLOEXEC));
    if (!started.error_) give_up("memfd_create");
  }
  std::vector<std::string> environment = environment_with(options.environment);
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> environment_pointers = pointers(environment);
  std::vector<int> passed = options.borrowed_fds;
  pid_t parent = ::getpid();
  note_started_child();
  pid_t pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid == 0)
    become(argument_pointers.data(), environment_pointers.data(), options.directory.c_str(),
           input.reader.get(), output.writer.get(), started.error_.get(), passed, parent);
  started.pid_ = pid;
  started.pidfd_ = fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!started.pidfd_) give_up("pidfd_open");
  started.input_ = std::move(input.writer);
  started.output_ = std::move(output.reader);
  return started;
}

child::child(child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)),
      pending_(std::move(other.pending_)),
      ended_(other.ended_) {}

child::~child() {
  if (pid_ >= 0 && !ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  look_for_report(error_text());
}

bool child::fill() {
  if (!wait_for(output_.get(), POLLIN))
    throw std::runtime_error("child " + std::to_string(pid_) + " said nothing");
  char chunk[4096];
  ssize_t got = ::read(output_.get(), chunk, sizeof chunk);
  if (got > 0) pending_.append(chunk, static_cast<std::size_t>(got));
  return got > 0;
}

std::optional<std::string> child::read_line() {
  for (;;) {
    if (auto end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    if (!fill()) {
      if (pending_.empty()) return std::nullopt;
      return std::exchange(pending_, {});
    }
  }
}

void child::expect_line(const std::string& line) {
  std::optional<std::string> got = read_line();
  if (got != line)
    throw std::runtime_error("child said " + (got ? '"' + *got + '"' : "nothing and ended") +
                             " where the test expects \"" + line + '"');
}

std::string child::read_all() {
  while (fill()) {
  }
  return std::exchange(pending_, {});
}

void child::write_line(const std::string& line) {
  std::string text = line + '\n';
  // A child that is gone must not end the test by SIGPIPE.
  struct sigaction ignore = {}, before;
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  ssize_t written = ::write(input_.get(), text.data(), text.size());
  int reason = errno;
  ::sigaction(SIGPIPE, &before, nullptr);
  errno = reason;
  if (written != static_cast<ssize_t>(text.size())) give_up("child does not take a line");
}

void child::kill(int signal) {
  // waitpid has not happened while ended_ is empty, so the number still belongs to our child.
  if (!ended_) ::kill(pid_, signal);
}

bool child::alive() const { return !ended_ && !openxpc::base::has_ended(pidfd_.get()); }

ending child::wait() {
  if (ended_) return *ended_;
  if (!wait_for(pidfd_.get(), POLLIN))
    throw std::runtime_error("child " + std::to_string(pid_) + " does not end");
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) give_up("waitpid");
  ending how;
  if (WIFEXITED(status)) how.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) how.signal = WTERMSIG(status);
  ended_ = how;
  return how;
}

std::string child::error_text() const { return error_ ? read_whole_file(error_.get()) : ""; }

run_result run(const std::string& path, child_options options, const std::string& input) {
  options.keep_stderr = true;
  child program = child::program(path, options);
  if (!input.empty()) program.write_line(input);
  program.close_input();
  run_result result;
  result.output = program.read_all();
  result.end = program.wait();
  result.error = program.error_text();
  return result;
}

}  // namespace xpc_testing
