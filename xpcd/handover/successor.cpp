#include "handover/successor.hpp"

#include "supervise/bounded_look.hpp"
#include "supervise/image.hpp"
#include "supervise/program.hpp"

#include <asio/post.hpp>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "log.hpp"

namespace openxpc::handover {

namespace {

constexpr const char* own_file = "/proc/self/exe";

/// Where the program that runs was, and where another one may be now.
std::string own_path() {
  std::string path(PATH_MAX, '\0');
  const ssize_t size = ::readlink(own_file, path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  // The kernel's word for a file that was replaced since.
  constexpr std::string_view gone = " (deleted)";
  if (path.ends_with(gone)) path.resize(path.size() - gone.size());
  return path;
}

supervise::file_identity own_identity() {
  const base::fd file(::open(own_file, O_PATH | O_CLOEXEC));
  return file ? supervise::identity_of(file.get()) : supervise::file_identity();
}

/// What would end xpcd before the next one listens, or tell it of children that the next one looks
/// for anyway, waits for that one.
void hold_signals(bool held) {
  sigset_t some;
  ::sigemptyset(&some);
  for (const int one : {SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&some, one);
  ::pthread_sigmask(held ? SIG_BLOCK : SIG_UNBLOCK, &some, nullptr);
}

/// An exec ends all threads first, and one that looks where nothing answers cannot be ended: xpcd
/// would stand still with it.
failure_of held_by_a_look() {
  const std::multiset<std::string> where = supervise::looks().hanging();
  if (where.empty()) return std::nullopt;
  return trouble{trouble::kind::unavailable,
                 *where.begin() +
                     ": its file system does not answer, and a thread waits there; ask again when "
                     "it does, or is unmounted",
                 ETIMEDOUT};
}

void set_inherited(const std::vector<int>& descriptors, bool inherited) {
  for (const int one : descriptors) ::fcntl(one, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

}  // namespace

void release_signals() { hold_signals(false); }

successor::successor(asio::io_context& loop, const domain::directory& directory,
                     supervise::supervisor& jobs, bundle::applications& applications,
                     control::service& control, surroundings around, xpc_object_t given)
    : loop_(loop),
      directory_(directory),
      jobs_(jobs),
      applications_(applications),
      control_(control),
      around_(std::move(around)),
      checker_(loop) {
  if (given == nullptr) return;
  generation_ = get_integer(given, "generation").value_or(0) + 1;
  before_ = get_text(given, "version").value_or("");
  log_line(weight::info, "goes on as version " OPENXPC_VERSION " after version " + before_);
}

object_ref successor::upgraded() const {
  object_ref reply = about("upgraded");
  set(reply.get(), "from-version", before_);
  return reply;
}

object_ref successor::about(const char* result) const {
  object_ref reply = new_dictionary();
  set(reply.get(), "result", result);
  set(reply.get(), "pid", static_cast<std::int64_t>(::getpid()));
  describe(reply.get());
  return reply;
}

void successor::describe(xpc_object_t into) const {
  set(into, "version", OPENXPC_VERSION);
  set(into, "generation", generation_);
  set(into, "program", own_path());
}

void successor::upgrade(const std::string& path, bool force, answer answered) {
  const bool under_way = !waiting_.empty();
  waiting_.push_back(std::move(answered));
  if (under_way) return;
  supervise::program_order what{path.empty() ? own_path() : path, {}, {}, {}, {}};
  what.rule.trusted = directory_.is_system();
  supervise::seek_program(std::move(what), [this, force](outcome<supervise::found_program> found) {
    if (!found) return try_program(found.error(), force);
    auto program = std::make_shared<supervise::program>(std::move(found->what));
    // A start that waits for its files could not be handed over.
    supervise::looks().when_quiet(
        [this, program, force] { try_program(std::move(*program), force); });
  });
}

void successor::try_program(outcome<supervise::program> what, bool force) {
  bool unchanged = false;
  if (failure_of why = begin(std::move(what), force, &unchanged)) {
    file_.reset();
    why->text = "xpcd stays as it is: " + why->text;
    std::vector<answer> all = std::exchange(waiting_, {});
    for (answer& one : all) one(*why);
  } else if (unchanged) {
    finish(about("unchanged"));
  }
}

failure_of successor::begin(outcome<supervise::program> what, bool force, bool* unchanged) {
  if (around_.is_ending()) return trouble{trouble::kind::unavailable, "it is shutting down"};
  if (!what) return what.error();
  if (what->is_script) {
    return trouble{trouble::kind::bad_input, what->path + ": is a script, not a program"};
  }
  if (!force && what->version == own_identity()) {
    *unchanged = true;
    return std::nullopt;
  }
  if (failure_of why = held_by_a_look()) return why;
  program_ = what->path;
  file_ = std::move(what->file);
  outgoing kept;
  outcome<base::fd> state = state_file(kept);
  if (!state) return state.error();
  std::vector<std::string> arguments{program_};
  arguments.insert(arguments.end(), around_.arguments.begin(), around_.arguments.end());
  failure_of why =
      checker_.start(file_.get(), std::move(arguments), state->get(), around_.check_time,
                     [this](outcome<std::string> version) { on_verdict(std::move(version)); });
  if (!why) {
    jobs_.expect_child(checker_.pid(), [this](int status) { checker_.ended(status); });
  }
  return why;
}

outcome<base::fd> successor::state_file(outgoing& kept) const {
  object_ref state = new_dictionary();
  xpc_object_t to = state.get();
  set(to, "version", OPENXPC_VERSION);
  set(to, "generation", generation_);
  kept.keep(to, "directory", directory_.borrowed_fd());
  kept.keep(to, "lock", directory_.borrowed_lock_fd());
  kept.keep(to, "run-directory", directory_.borrowed_run_fd());
  set_bool(to, "made-directory", directory_.made_it());
  jobs_.hand_jobs_over(to, kept);
  applications_.hand_over(to, kept);
  control_.hand_over(to, kept);
  return write(to, kept);
}

void successor::on_verdict(outcome<std::string> version) {
  if (!version) {
    trouble why = version.error();
    why.text = program_ + " " + why.text;
    return finish([&] {
      object_ref reply = about("refused");
      set(reply.get(), "reason", "xpcd stays as it is: " + why.text);
      log_line(weight::warning, "is not upgraded: " + why.text);
      return reply;
    }());
  }
  log_line(weight::info, "becomes " + program_ + ", version " + *version);
  around_.leaving();
  hold_signals(true);
  jobs_.expect_links_back();
  control_.pause([this] {
    jobs_.when_refuser_is_idle([this] { supervise::looks().when_quiet([this] { become(); }); });
  });
}

void successor::become() {
  if (around_.is_ending()) return stay({trouble::kind::unavailable, "it is shutting down"});
  // The next one was tried meanwhile, and jobs were started.
  failure_of held = held_by_a_look();
  stay(held ? *held : exec());
}

/// Returns only when it failed.
trouble successor::exec() {
  outgoing kept;
  outcome<base::fd> state = state_file(kept);
  if (!state) return state.error();
  std::vector<std::string> arguments{program_};
  arguments.insert(arguments.end(), around_.arguments.begin(), around_.arguments.end());
  arguments.insert(arguments.end(), {"--handover-fd", std::to_string(state->get())});
  std::vector<char*> pointers;
  for (std::string& one : arguments) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  set_inherited(kept.kept(), true);
  ::fcntl(state->get(), F_SETFD, 0);
  ::syscall(SYS_execveat, file_.get(), "", pointers.data(), environ, AT_EMPTY_PATH);
  const int error = errno;
  set_inherited(kept.kept(), false);
  return system_trouble(error, program_);
}

/// As if nothing had been asked for.
void successor::stay(const trouble& why) {
  hold_signals(false);
  log_line(weight::warning, "is not upgraded: " + why.text);
  if (failure_of broken = control_.go_on()) {
    log_line(weight::error, "xpcctl is not served any more: " + broken->text);
  }
  jobs_.await_returns();
  around_.staying();
  object_ref reply = about("refused");
  set(reply.get(), "reason", "xpcd stays as it is: " + why.text);
  finish(std::move(reply));
}

void successor::finish(object_ref reply) {
  file_.reset();
  std::vector<answer> all = std::exchange(waiting_, {});
  for (answer& one : all) one(retain(reply.get()));
}

}  // namespace openxpc::handover
