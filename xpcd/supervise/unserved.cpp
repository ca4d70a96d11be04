#include "supervise/unserved.hpp"

#include "job/name.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::supervise {

namespace {

constexpr const char* folder = ".why";
constexpr const char* any_name = ".any";
constexpr std::size_t most_names = 1000;
constexpr std::size_t most_bytes = 900;  // of a reason; a client reads a little more

/// A reason is for those who know the name: nobody else lists them.
base::fd open_folder(int borrowed_domain) {
  base::fd found(
      ::openat(borrowed_domain, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (found) ::fchmod(found.get(), 0711);
  return found;
}

std::string on_one_line(std::string text) {
  if (text.size() > most_bytes) text = text.substr(0, most_bytes) + "...";
  for (char& each : text) {
    if (each == '\n') {
      each = ';';
    } else if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f) {
      each = '?';
    }
  }
  return text;
}

std::string contents(int borrowed_folder, const char* name) {
  const base::fd file(
      ::openat(borrowed_folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text(2 * most_bytes, '\0');
  const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

unserved_names::unserved_names(int borrowed_domain_directory)
    : domain_(borrowed_domain_directory), directory_(open_folder(domain_)) {
  if (!directory_) return;
  base::fd again = open_folder(domain_);
  DIR* stream = again ? ::fdopendir(again.get()) : nullptr;
  if (stream == nullptr) return;
  (void)again.release();
  while (const dirent* found = ::readdir(stream)) {
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    const std::string text = contents(directory_.get(), found->d_name);
    const std::size_t first = text.find('\n');
    if (job::wrong_with_name(name) || first == std::string::npos || all_.size() >= most_names) {
      ::unlinkat(directory_.get(), found->d_name, 0);  // half of one
      continue;
    }
    all_[name] = {text.substr(0, first),
                  text.substr(first + 1, text.find('\n', first + 1) - first - 1)};
  }
  ::closedir(stream);
}

void unserved_names::clear() {
  for (auto at = all_.begin(); at != all_.end();) at = drop(at);
  note_any({});
  if (directory_) ::unlinkat(domain_, folder, AT_REMOVEDIR);
  directory_.reset();
}

/// A reader finds a whole file or none. One that cannot be written costs a client no more than the
/// reason.
void unserved_names::keep(const std::string& name, const entry& what) {
  if (!directory_ && ::mkdirat(domain_, folder, 0711) == 0) directory_ = open_folder(domain_);
  if (!directory_) return;
  const std::string beside = "." + name + ".new", text = what.label + "\n" + what.reason + "\n";
  base::fd file(::openat(directory_.get(), beside.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  const bool whole =
      file && ::fchmod(file.get(), 0644) == 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::renameat(directory_.get(), beside.c_str(), directory_.get(), name.c_str()) == 0;
  if (!whole) ::unlinkat(directory_.get(), beside.c_str(), 0);
}

void unserved_names::note(const std::vector<std::string>& names, const std::string& label,
                          const std::string& reason) {
  for (const std::string& name : names) {
    if (all_.count(name) == 0 && all_.size() >= most_names) return;
    entry& what = all_[name];
    what = {label, on_one_line(reason)};
    keep(name, what);
  }
}

void unserved_names::note_any(const std::string& reason) {
  if (reason == any_) return;
  any_ = reason;
  if (!any_.empty()) {
    keep(any_name, {"", on_one_line(any_)});
  } else if (directory_) {
    ::unlinkat(directory_.get(), any_name, 0);
  }
}

unserved_names::entries::iterator unserved_names::drop(entries::iterator which) {
  ::unlinkat(directory_.get(), which->first.c_str(), 0);
  return all_.erase(which);
}

void unserved_names::serve(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto at = all_.find(name);
    if (at != all_.end()) drop(at);
  }
}

void unserved_names::forget_label(const std::string& label) {
  for (auto at = all_.begin(); at != all_.end();) {
    at = at->second.label == label ? drop(at) : std::next(at);
  }
}

void unserved_names::forget(const std::vector<std::string>& names, const std::string& reason) {
  const std::string line = on_one_line(reason);
  for (const std::string& name : names) {
    const auto at = all_.find(name);
    if (at != all_.end() && at->second.reason == line) drop(at);
  }
}

std::string unserved_names::why(const std::string& name) const {
  const auto at = all_.find(name);
  return at == all_.end() ? std::string() : at->second.reason;
}

}  // namespace openxpc::supervise
