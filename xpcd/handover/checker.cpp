#include "handover/checker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace openxpc::handover {

namespace {

constexpr std::string_view first_word = "xpcd ";
constexpr std::string_view behind_version = " can take ";

/// A file that takes so much and no more, whoever writes.
base::fd make_bounded_file() {
  constexpr off_t most_bytes = 16384;
  base::fd file(::memfd_create("xpcd-check", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ::ftruncate(file.get(), most_bytes) < 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0) {
    return {};
  }
  return file;
}

std::string text_in(int borrowed_fd) {
  char text[16384];
  const ssize_t got = ::pread(borrowed_fd, text, sizeof text, 0);
  return std::string(text, ::strnlen(text, got < 0 ? 0 : static_cast<std::size_t>(got)));
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t end = text.rfind('\n');
  text = text.substr(end == std::string::npos ? 0 : end + 1);
  if (text.compare(0, 6, "xpcd: ") == 0) text.erase(0, 6);
  // It goes into a message to people.
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text.substr(0, 500);
}

/// For posix_spawn(3), which wants all of them initialized and destroyed.
struct spawn_setup {
  spawn_setup() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&how);
  }
  ~spawn_setup() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&how);
  }
  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
};

}  // namespace

std::string words_of_the_fit(std::size_t jobs) {
  return std::string(first_word) + OPENXPC_VERSION + std::string(behind_version) +
         std::to_string(jobs) + " jobs over\n";
}

checker::~checker() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

failure_of checker::start(int borrowed_program, std::vector<std::string> arguments,
                          int borrowed_state, std::chrono::seconds patience, verdict judged) {
  said_ = make_bounded_file();
  complained_ = make_bounded_file();
  const base::fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!said_ || !complained_ || !null) return system_trouble(errno, "--check-state");
  arguments.insert(arguments.end(), {"--check-state", "--handover-fd", "3"});
  std::vector<char*> pointers;
  for (std::string& one : arguments) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  // Numbers out of the way of those that the child is to see.
  constexpr int low = 10;
  const int wanted[] = {null.get(), said_.get(), complained_.get(), borrowed_state,
                        borrowed_program};
  std::vector<base::fd> sources;
  spawn_setup setup;
  for (const int one : wanted) {
    base::fd copy(::fcntl(one, F_DUPFD_CLOEXEC, low));
    if (!copy) return system_trouble(errno, "--check-state");
    ::posix_spawn_file_actions_adddup2(&setup.files, copy.get(), static_cast<int>(sources.size()));
    sources.push_back(std::move(copy));
  }
  ::posix_spawn_file_actions_addclosefrom_np(&setup.files, static_cast<int>(sources.size()));
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.how, &none);
  ::posix_spawnattr_setsigdefault(&setup.how, &all);
  ::posix_spawnattr_setpgroup(&setup.how, 0);
  ::posix_spawnattr_setflags(
      &setup.how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, "/proc/self/fd/4", &setup.files, &setup.how, pointers.data(), environ);
  if (error != 0) {
    said_.reset();
    complained_.reset();
    return system_trouble(error, arguments.front());
  }
  pid_ = pid;
  late_ = false;
  patience_ = patience;
  judged_ = std::move(judged);
  timer_.expires_after(patience);
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled || pid_ <= 0) return;
    late_ = true;
    ::kill(-pid_, SIGKILL);
  });
  return std::nullopt;
}

void checker::ended(int status) {
  if (pid_ <= 0) return;
  // What it left behind is nobody's.
  ::kill(-pid_, SIGKILL);
  pid_ = 0;
  timer_.cancel();
  const verdict judged = std::move(judged_);
  judged_ = nullptr;
  outcome<std::string> result = judge(status);
  said_.reset();
  complained_.reset();
  judged(std::move(result));
}

outcome<std::string> checker::judge(int status) const {
  auto unfit = [this](std::string text) {
    const std::string reason = last_line(text_in(complained_.get()));
    if (!reason.empty()) text += ": " + reason;
    return trouble{trouble::kind::unavailable, "--check-state " + text};
  };
  if (late_) return unfit("did not end within " + std::to_string(patience_.count()) + " s");
  if (WIFSIGNALED(status)) {
    return unfit("was ended by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return unfit("exited with status " + std::to_string(WEXITSTATUS(status)));
  }
  const std::string text = text_in(said_.get());
  const std::size_t end = text.find(behind_version);
  if (text.compare(0, first_word.size(), first_word) != 0 || end == std::string::npos ||
      end <= first_word.size()) {
    return unfit("did not answer as an xpcd does");
  }
  return text.substr(first_word.size(), end - first_word.size());
}

}  // namespace openxpc::handover
