#include "supervise/run_state.hpp"

#include "job/name.hpp"
#include "job/reader.hpp"
#include "supervise/hand_over.hpp"
#include "supervise/state_file.hpp"

#include <xpc/openxpc/error.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace openxpc::supervise {

namespace {

constexpr std::string_view job_suffix = ".job";
constexpr std::string_view removed_suffix = ".out";
constexpr const char* variables_file = "variables";
constexpr const char* mounts_file = "mounts";
constexpr const char* refused_file_name = "refused";

template <class T>
bool take_number(std::string_view* text, T* out, char behind) {
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc() || end == text->data() + text->size() || *end != behind) return false;
  text->remove_prefix(static_cast<std::size_t>(end - text->data()) + 1);
  return true;
}

/// What is no such list counts as none: then nothing is known to be ours.
std::vector<socket_file> socket_files_in(xpc_object_t from) {
  std::vector<socket_file> result;
  xpc_object_t files = get_object(from, "socket-files");
  if (files == nullptr || !job::is(files, OPENXPC_TYPE_ARRAY)) return result;
  for (std::size_t at = 0; at < ::xpc_array_get_count(files); ++at) {
    xpc_object_t one = ::xpc_array_get_value(files, at);
    if (!job::is(one, OPENXPC_TYPE_DICTIONARY)) continue;
    result.push_back({get_text(one, "path").value_or(""),
                      static_cast<dev_t>(get_integer(one, "device").value_or(0)),
                      static_cast<ino_t>(get_integer(one, "inode").value_or(0))});
  }
  return result;
}

}  // namespace

std::optional<saved_run> parse_run(std::string_view text) {
  saved_run run;
  if (!take_number(&text, &run.id.pid, ' ') || run.id.pid <= 0 ||
      !take_number(&text, &run.id.start_ticks, ' ') ||
      !take_number(&text, &run.id.pidfd_inode, ' ') || !take_number(&text, &run.generation, '\n') ||
      !text.empty()) {
    return std::nullopt;
  }
  return run;
}

failure_of run_state::write_object(const std::string& file, xpc_object_t object) const {
  void* bytes = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  if (!::openxpc_object_encode(object, OPENXPC_ENCODING_FILE, &bytes, &size, &error)) {
    trouble why{trouble::kind::bad_input,
                "run state " + file + ": " + ::openxpc_error_get_message(error)};
    ::xpc_release(error);
    return why;
  }
  failure_of result = write_whole(directory_, file, bytes, size, "run state");
  std::free(bytes);
  return result;
}

failure_of run_state::save(const std::string& label, const saved_job& job) const {
  object_ref all = new_dictionary();
  ::openxpc_dictionary_set_value(all.get(), "description", 11, job.description.get());
  set(all.get(), "origin", job.origin);
  set_bool(all.get(), "any-peer", job.any_peer);
  set(all.get(), "generation", static_cast<std::int64_t>(job.generation));
  set(all.get(), "quick-ends", static_cast<std::int64_t>(job.quick_ends));
  set(all.get(), "started", static_cast<std::int64_t>(base::to_wire(job.started)));
  set(all.get(), "loaded", static_cast<std::int64_t>(base::to_wire(job.loaded)));
  set(all.get(), "start-count", static_cast<std::int64_t>(job.start_count));
  set_bool(all.get(), "wanted", job.wanted);
  set(all.get(), "state", word_for(job.at));
  set_instant(all.get(), "timer-at", job.timer_at);
  set(all.get(), "reason", job.reason);
  if (job.last) set(all.get(), "last", pack(*job.last));
  object_ref files = new_array();
  for (const socket_file& one : job.socket_files) {
    object_ref made = new_dictionary();
    set(made.get(), "path", one.path);
    set(made.get(), "device", static_cast<std::int64_t>(one.device));
    set(made.get(), "inode", static_cast<std::int64_t>(one.inode));
    append(files.get(), std::move(made));
  }
  set(all.get(), "socket-files", std::move(files));
  return write_object(label + std::string(job_suffix), all.get());
}

std::vector<std::string> run_state::labels() const { return labels_with(job_suffix); }

std::vector<std::string> run_state::labels_with(std::string_view suffix) const {
  std::vector<std::string> result;
  // A descriptor of its own: reading moves an offset, which duplicates would share.
  base::fd own(::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* stream = own ? ::fdopendir(own.get()) : nullptr;
  if (stream == nullptr) return result;
  (void)own.release();
  while (const dirent* entry = ::readdir(stream)) {
    std::string_view name(entry->d_name);
    if (name.size() <= suffix.size() || name.substr(name.size() - suffix.size()) != suffix) {
      continue;
    }
    name.remove_suffix(suffix.size());
    if (!job::wrong_with_name(name)) result.emplace_back(name);
  }
  ::closedir(stream);
  std::sort(result.begin(), result.end());
  return result;
}

outcome<saved_job> run_state::load(const std::string& label) const {
  const std::string name = label + std::string(job_suffix);
  std::optional<std::string> bytes = read_whole(directory_, name);
  if (!bytes) return trouble{trouble::kind::unavailable, "run state " + name + ": cannot be read"};
  xpc_rich_error_t error = nullptr;
  object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, &error));
  if (!all) {
    trouble why{trouble::kind::bad_input,
                "run state " + name + ": " + ::openxpc_error_get_message(error)};
    ::xpc_release(error);
    return why;
  }
  saved_job job;
  xpc_object_t description = get_object(all.get(), "description");
  std::optional<std::string> origin = get_text(all.get(), "origin");
  std::optional<std::int64_t> generation = get_integer(all.get(), "generation");
  std::optional<std::int64_t> quick_ends = get_integer(all.get(), "quick-ends");
  std::optional<std::int64_t> started = get_integer(all.get(), "started");
  std::optional<std::int64_t> loaded = get_integer(all.get(), "loaded");
  if (description == nullptr || !origin || !generation || *generation < 0 || !quick_ends ||
      *quick_ends < 0 || *quick_ends > 1000 || !started || *started < 0 || !loaded || *loaded < 0) {
    return trouble{trouble::kind::bad_input, "run state " + name + ": is incomplete"};
  }
  job.description.reset(::xpc_copy(description));
  job.origin = *origin;
  job.any_peer = get_bool(all.get(), "any-peer").value_or(false);
  job.generation = static_cast<std::uint64_t>(*generation);
  job.quick_ends = static_cast<unsigned>(*quick_ends);
  job.started = base::from_wire(static_cast<std::uint64_t>(*started));
  job.loaded = base::from_wire(static_cast<std::uint64_t>(*loaded));
  job.socket_files = socket_files_in(all.get());
  job.start_count = static_cast<std::uint64_t>(get_integer(all.get(), "start-count").value_or(0));
  job.wanted = get_bool(all.get(), "wanted").value_or(false);
  job.at = state_of(get_text(all.get(), "state").value_or("")).value_or(state::idle);
  job.timer_at = get_instant(all.get(), "timer-at");
  job.reason = get_text(all.get(), "reason").value_or("");
  job.last = unpack_end(all.get(), "last");
  return job;
}

std::optional<saved_run> run_state::load_run(const std::string& label) const {
  std::optional<std::string> text = read_whole(directory_, run_file(label));
  return text ? parse_run(*text) : std::nullopt;
}

std::optional<saved_run> run_state::load_next_run(const std::string& label) const {
  std::optional<std::string> text = read_whole(directory_, next_run_file(label));
  return text ? parse_run(*text) : std::nullopt;
}

std::optional<saved_run> run_state::load_old_run(const std::string& label) const {
  std::optional<std::string> text = read_whole(directory_, old_run_file(label));
  return text ? parse_run(*text) : std::nullopt;
}

failure_of run_state::advance_run(const std::string& label) const {
  const auto move = [&](const std::string& from, const std::string& to) {
    return ::renameat(directory_, from.c_str(), directory_, to.c_str()) == 0 || errno == ENOENT;
  };
  // What the system is short of for a moment is no reason to lose a process: each is tried twice.
  const std::string next = next_run_file(label), now = run_file(label), old = old_run_file(label);
  failure_of why;
  if (!move(now, old) && !move(now, old))
    why = system_trouble(errno, "the process before is not recorded");
  if (!move(next, now) && !move(next, now))
    why = system_trouble(errno, "the process is not recorded");
  return why;
}

failure_of run_state::save_variables(const std::map<std::string, std::string>& variables) const {
  if (variables.empty()) {
    ::unlinkat(directory_, variables_file, 0);
    return std::nullopt;
  }
  object_ref all = new_dictionary();
  for (const auto& [name, value] : variables) set(all.get(), name, value);
  return write_object(variables_file, all.get());
}

std::map<std::string, std::string> run_state::load_variables() const {
  std::map<std::string, std::string> result;
  std::optional<std::string> bytes = read_whole(directory_, variables_file);
  if (!bytes) return result;
  object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, nullptr));
  if (!all) return result;
  job::each_entry(all.get(), [&](const std::string& name, xpc_object_t) {
    if (std::optional<std::string> value = get_text(all.get(), name)) result[name] = *value;
  });
  return result;
}

failure_of run_state::save_mounts(const std::set<std::string>& mounts) const {
  object_ref list = new_array(), all = new_dictionary();
  for (const std::string& one : mounts) append(list.get(), new_string(one));
  set(all.get(), "mounts", std::move(list));
  return write_object(mounts_file, all.get());
}

std::optional<std::set<std::string>> run_state::load_mounts() const {
  const std::optional<std::string> bytes = read_whole(directory_, mounts_file);
  if (!bytes) return std::nullopt;
  const object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, nullptr));
  xpc_object_t list = all ? get_object(all.get(), "mounts") : nullptr;
  if (list == nullptr || !job::is(list, OPENXPC_TYPE_ARRAY)) return std::nullopt;
  std::set<std::string> result;
  for (std::size_t at = 0; at < ::xpc_array_get_count(list); ++at) {
    if (const char* one = ::xpc_array_get_string(list, at)) result.insert(one);
  }
  return result;
}

void run_state::forget_mounts() const noexcept { ::unlinkat(directory_, mounts_file, 0); }

failure_of run_state::save_refused(xpc_object_t list) const {
  if (::xpc_array_get_count(list) == 0) {
    forget_refused();
    return std::nullopt;
  }
  object_ref all = new_dictionary();
  set(all.get(), "refused", retain(list));
  return write_object(refused_file_name, all.get());
}

object_ref run_state::load_refused() const {
  const std::optional<std::string> bytes = read_whole(directory_, refused_file_name);
  if (!bytes) return nullptr;
  const object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, nullptr));
  xpc_object_t list = all ? get_object(all.get(), "refused") : nullptr;
  return list != nullptr ? retain(list) : nullptr;
}

void run_state::forget_refused() const noexcept { ::unlinkat(directory_, refused_file_name, 0); }

failure_of run_state::note_removed(const std::string& label) const {
  return write_whole(directory_, label + std::string(removed_suffix), "", 0, "run state");
}

bool run_state::was_removed(const std::string& label) const noexcept {
  struct stat status;
  const std::string file = label + std::string(removed_suffix);
  return ::fstatat(directory_, file.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void run_state::forget_removed(const std::string& label) const noexcept {
  ::unlinkat(directory_, (label + std::string(removed_suffix)).c_str(), 0);
}

void run_state::forget_all_removed() const {
  for (const std::string& label : labels_with(removed_suffix)) forget_removed(label);
}

void run_state::forget_run(const std::string& label) const noexcept {
  ::unlinkat(directory_, run_file(label).c_str(), 0);
}

void run_state::forget_next_run(const std::string& label) const noexcept {
  ::unlinkat(directory_, next_run_file(label).c_str(), 0);
}

void run_state::forget_old_run(const std::string& label) const noexcept {
  ::unlinkat(directory_, old_run_file(label).c_str(), 0);
}

void run_state::forget(const std::string& label) const noexcept {
  forget_run(label);
  forget_next_run(label);
  forget_old_run(label);
  ::unlinkat(directory_, output_file(label).c_str(), 0);
  ::unlinkat(directory_, (label + std::string(job_suffix)).c_str(), 0);
}

}  // namespace openxpc::supervise
