// Descriptions that were not loaded: remembered while their files are there, for whoever asks for
// a name that they declare.

#include "supervise/bounded_look.hpp"
#include "supervise/supervisor.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace openxpc::supervise {

namespace {

constexpr std::size_t shown_files = 10;

/// What cannot be looked at may be there.
bool is_gone(const std::string& file) {
  const outcome<bool> gone = looks().look_there<bool>(file, [file] {
    struct stat status;
    return outcome<bool>(::lstat(file.c_str(), &status) < 0 &&
                         (errno == ENOENT || errno == ENOTDIR));
  });
  return gone && *gone;
}

/// Whether everybody may read the file and list each directory above it. One that cannot be looked
/// at is nobody's to know of.
bool is_readable_by_all(const std::string& file) {
  const outcome<bool> seen = looks().look_there<bool>(file, [file] {
    struct stat status;
    if (::stat(file.c_str(), &status) < 0 || (status.st_mode & 04) == 0)
      return outcome<bool>(false);
    std::error_code wrong;
    const std::filesystem::path given = std::filesystem::path(file).parent_path();
    for (std::filesystem::path way : {given, std::filesystem::canonical(given, wrong)}) {
      for (;; way = way.parent_path()) {
        if (::stat(way.c_str(), &status) < 0 || (status.st_mode & 05) != 05)
          return outcome<bool>(false);
        if (!way.has_relative_path()) break;
      }
    }
    return outcome<bool>(true);
  });
  return seen && *seen;
}

}  // namespace

/// Who may not enter a user's domain asks nothing there. Where others may, whoever makes a name up
/// must not learn from it what stands in files and directories that are closed to him.
bool supervisor::is_for_all(const std::string& file) const {
  struct stat status;
  const bool others_enter =
      ::fstat(directory_.borrowed_fd(), &status) < 0 || (status.st_mode & 011) != 0;
  return !others_enter || is_readable_by_all(file);
}

void supervisor::leave_word_for_any_name() { unserved_.note_any(why_perhaps_unserved(refused_)); }

/// Clients find the reason in the domain's directory. Names that somebody has are reached.
void supervisor::leave_reason(const std::vector<std::string>& names, const std::string& label,
                              const std::string& reason) {
  std::vector<std::string> nobodys;
  for (const std::string& name : names) {
    if (owners_.count(name) == 0) nobodys.push_back(name);
  }
  unserved_.note(nobodys, label, reason);
}

void supervisor::note_unserved(const std::string& file, const job::declaration& what,
                               const std::string& why) {
  leave_reason(what.names, what.label,
               file + " declares it and was not loaded: " + reason_without_file(file, why));
}

void supervisor::note_refused(const std::string& file, const std::optional<job::declaration>& what,
                              const std::string& why, bool disabled) {
  if (shut_down_) return;
  if (file.empty() || file.front() != '/') {
    if (!what) return;
    return leave_reason(what->names, what->label,
                        "the job " + what->label + " declares it and was not loaded: " + why);
  }
  forget_refused(file);
  refused_file made;
  if (what) {
    made.label = what->label;
    made.names = what->names;
    made.names_are_known = true;
  }
  if (disabled) made.now = refused_file::state::disabled;
  made.reason = reason_without_file(file, why);
  made.is_for_all = is_for_all(file);
  const refused_file* known = refused_.note(file, made);
  const refused_file& kept = known != nullptr ? *known : made;
  leave_reason(kept.names, kept.label, why_unserved(file, kept));
  if (!kept.names_are_known || known == nullptr) leave_word_for_any_name();
  if (known == nullptr) return;
  watch_refused(file);
  save_refused();
}

void supervisor::watch_refused(const std::string& file) {
  refused_watches_[file] = watcher_.add(file, [this, self = self_, file] {
    asio::post(loop_, [self, file] {
      if (*self != nullptr && is_gone(file)) (*self)->forget_refused(file);
    });
  });
  // When it went before it was watched nobody was told.
  if (is_gone(file)) forget_refused(file);
}

void supervisor::forget_refused(const std::string& file) {
  const refused_file* known = refused_.find(file);
  if (known == nullptr) return;
  unserved_.forget(known->names, why_unserved(file, *known));
  const bool declares_any = !known->names_are_known;
  refused_.forget(file);
  if (declares_any) leave_word_for_any_name();
  if (const auto at = refused_watches_.find(file); at != refused_watches_.end()) {
    watcher_.remove(at->second);
    refused_watches_.erase(at);
  }
  save_refused();
}

/// A start that refuses many writes them once.
void supervisor::save_refused() {
  if (std::exchange(saving_refused_, true)) return;
  asio::post(loop_, [self = self_] {
    if (*self == nullptr) return;
    supervisor& here = **self;
    here.saving_refused_ = false;
    if (here.shut_down_) return;
    if (failure_of why = here.saved_.save_refused(here.refused_.list().get())) {
      say("descriptions that were not loaded", why->text);
    }
  });
}

void supervisor::restore_refused() {
  refused_.restore(saved_.load_refused().get());
  std::vector<std::string> files;
  for (const auto& [file, what] : refused_.all()) files.push_back(file);
  for (const std::string& file : files) {
    refused_.find(file)->is_for_all = is_for_all(file);
    watch_refused(file);
  }
  leave_word_for_any_name();
}

/// The label may be loaded from now on; what is said of its descriptions may no longer hold.
void supervisor::reconsider_refused(const std::string& label) {
  unserved_.forget_label(label);
  for (const auto& [file, unused] : refused_.all()) {
    refused_file* known = refused_.find(file);
    if (known->label != label) continue;
    if (known->now == refused_file::state::disabled) {
      known->now = refused_file::state::enabled;
      known->reason = label + " was disabled, and is enabled now";
    }
    leave_reason(known->names, label, why_unserved(file, *known));
    save_refused();
  }
}

/// A name that was just given up may be one of theirs.
void supervisor::remind_of_refused(const std::vector<std::string>& names) {
  for (const auto& [file, known] : refused_.all()) {
    for (const std::string& name : known.names) {
      if (std::find(names.begin(), names.end(), name) == names.end()) continue;
      leave_reason({name}, known.label, why_unserved(file, known));
    }
  }
}

std::string supervisor::refused_as(const std::string& label) const {
  for (const auto& [file, known] : refused_.all()) {
    if (known.label == label) return file + " was not loaded: " + known.reason;
  }
  return {};
}

std::vector<std::string> supervisor::who_may_declare(bool whole) const {
  if (!whole) {
    const std::string word = why_perhaps_unserved(refused_);
    return word.empty() ? std::vector<std::string>() : std::vector<std::string>{word};
  }
  std::vector<std::string> all;
  std::size_t more = 0;
  for (const auto& [file, known] : refused_.all()) {
    if (known.names_are_known) continue;
    if (all.size() >= shown_files) {
      ++more;
    } else {
      all.push_back(file +
                    " was not loaded, and which names it declares is not known: " + known.reason);
    }
  }
  if (more != 0) all.push_back("so were " + std::to_string(more) + " other files");
  if (refused_.has_more()) all.emplace_back("more files were not loaded than xpcd remembers");
  return all;
}

object_ref supervisor::refused(bool whole) const {
  return refused_.list(whole ? refused_files::which::every : refused_files::which::for_all);
}

}  // namespace openxpc::supervise
