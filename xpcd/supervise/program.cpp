#include "supervise/program.hpp"

#include "supervise/bounded_look.hpp"
#include "supervise/job_root.hpp"
#include "supervise/loader.hpp"
#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

namespace openxpc::supervise {

namespace {

constexpr std::size_t first_line_bytes =
    256;  // as much of a script's first line as the kernel looks at

/// The real path of an open file, for messages and for scripts, as the kernel knows it: none of the
/// directories is looked at.
std::string real_path(int fd, const std::string& otherwise) {
  char text[PATH_MAX];
  const ssize_t size =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text, sizeof text);
  if (size <= 0 || static_cast<std::size_t>(size) == sizeof text || *text != '/') return otherwise;
  std::string path(text, static_cast<std::size_t>(size));
  constexpr std::string_view deleted = " (deleted)";  // what the kernel puts behind such a path
  const bool says_deleted =
      path.size() > deleted.size() &&
      path.compare(path.size() - deleted.size(), deleted.size(), deleted) == 0;
  return says_deleted && ::access(path.c_str(), F_OK) != 0 ? otherwise : path;
}

struct opened {
  base::fd file;      // O_PATH
  base::fd readable;  // the same; empty for one that may be executed but not read
};

/// What the file would bring with it; nullptr for nothing.
const char* rights_of(const opened& it, const struct stat& status, const program_rule& rule) {
  if (status.st_mode & S_ISUID) return "set-uid";
  if (status.st_mode & S_ISGID && rule.hardened != status.st_gid) return "set-gid";
  constexpr const char* key = "security.capability";
  const std::string link = "/proc/self/fd/" + std::to_string(it.file.get());
  const ssize_t size = it.readable ? ::fgetxattr(it.readable.get(), key, nullptr, 0)
                                   : ::getxattr(link.c_str(), key, nullptr, 0);
  return size > 0 ? "has capabilities" : nullptr;
}

/// A near look fails with EXDEV, whatever the reason: that is for the far one to find out.
outcome<base::fd> open_near_path(const std::string& path, const program_rule& rule) {
  outcome<base::fd> file = rule.trusted ? open_trusted(path, reach::near) : open_near(path);
  if (!file || !*file) return system_trouble(EXDEV, path);
  return file;
}

outcome<base::fd> open_path(const std::string& path, const program_rule& rule, reach how_far) {
  if (how_far == reach::near) return open_near_path(path, rule);
  if (rule.borrowed_root >= 0) return open_trusted_in(rule.borrowed_root, path);
  if (rule.trusted) return open_trusted(path);
  base::fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return system_trouble(errno, path);
  return file;
}

outcome<opened> open_executable(const std::string& path, program_rule rule, reach how_far) {
  outcome<base::fd> found = open_path(path, rule, how_far);
  if (!found) return found.error();
  opened result{std::move(*found), {}};
  const int file = result.file.get();
  struct stat status;
  if (::fstat(file, &status) < 0) return system_trouble(errno, path);
  if (!S_ISREG(status.st_mode)) {
    return trouble{trouble::kind::bad_input, path + ": is not a regular file", EACCES};
  }
  if (::faccessat(file, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0) {
    return trouble{trouble::kind::denied, path + ": is not executable", EACCES};
  }
  result.readable.reset(
      ::open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (const char* rights = rule.no_new_privileges ? rights_of(result, status, rule) : nullptr) {
    return trouble{trouble::kind::denied,
                   "NoNewPrivileges: " + path + " " + (*rights == 'h' ? "" : "is ") + rights +
                       ", which counts for nothing unless this key is given as false",
                   EPERM};
  }
  // With an access list the group's bits are the most that anybody in it gets.
  if (rule.hardened && (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    return trouble{trouble::kind::denied,
                   "Hardened: " + path + ": others than root may read it; its mode must be 0711",
                   EPERM};
  }
  return result;
}

/// What the kernel opens beside it when it starts it cannot hang, either.
bool starts_near(const opened& it) { return it.readable && has_near_loader(it.readable.get()); }

/// The first bytes; empty for a program that may be executed but not read, which therefore is no
/// script.
std::string first_bytes(const base::fd& readable) {
  if (!readable) return {};
  std::string text(first_line_bytes, '\0');
  const ssize_t got = ::pread(readable.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

struct interpreter_line {
  std::string path, argument;
};

interpreter_line parse_interpreter(std::string_view line) {
  constexpr std::string_view blanks = " \t";
  line = line.substr(0, line.find('\n'));
  line.remove_prefix(2);
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  line.remove_prefix(first);
  const std::size_t end = line.find_first_of(blanks);
  interpreter_line result{std::string(line.substr(0, end)), {}};
  if (end != std::string_view::npos) {
    std::string_view rest = line.substr(end);
    const std::size_t from = rest.find_first_not_of(blanks);
    if (from != std::string_view::npos) {
      result.argument = rest.substr(from, rest.find_last_not_of(" \t\r") + 1 - from);
    }
  }
  return result;
}

/// The path by which the program itself finds the file.
std::string path_inside(std::string path, int borrowed_root, const std::string& otherwise) {
  if (borrowed_root < 0) return path;
  const std::string root = real_path(borrowed_root, "");
  if (root == "/") return path;
  const bool is_inside = !root.empty() && path.compare(0, root.size() + 1, root + "/") == 0;
  return is_inside ? path.substr(root.size()) : otherwise;
}

bool is_executable(const std::string& path, int borrowed_root) {
  if (borrowed_root < 0) return ::access(path.c_str(), X_OK) == 0;
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const base::fd file(
      static_cast<int>(::syscall(SYS_openat2, borrowed_root, path.c_str(), &how, sizeof how)));
  const std::string link = "/proc/self/fd/" + std::to_string(file.get());
  return file && ::access(link.c_str(), X_OK) == 0;
}

outcome<std::string> look_for(const std::string& named, const std::string& search_path,
                              int borrowed_root) {
  if (named.empty()) return trouble{trouble::kind::bad_input, "the program has no name"};
  if (named.front() == '/') return named;
  if (named.find('/') != std::string::npos) {
    return trouble{trouble::kind::bad_input,
                   named +
                       ": the path of a program is absolute, or a plain name to be looked for in " +
                       search_path};
  }
  std::string_view rest = search_path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    std::string candidate = std::string(rest.substr(0, end)) + "/" + named;
    if (candidate.front() == '/' && is_executable(candidate, borrowed_root)) return candidate;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return trouble{trouble::kind::not_found, named + ": no such program in " + search_path, ENOENT};
}

outcome<program> find_program(const std::string& named, const std::vector<std::string>& arguments,
                              const std::string& search_path, program_rule rule, reach how_far) {
  outcome<std::string> path = look_for(named, search_path, rule.borrowed_root);
  if (!path) return path.error();
  outcome<opened> found = open_executable(*path, rule, how_far);
  if (!found) return found.error();
  program result;
  result.path = real_path(found->file.get(), *path);
  result.version = identity_of(found->file.get());
  result.arguments = arguments.empty() ? std::vector<std::string>{*path} : arguments;

  const std::string start = first_bytes(found->readable);
  if (start.compare(0, 2, "#!") == 0) {
    if (rule.hardened) {
      return trouble{trouble::kind::denied,
                     "Hardened: " + *path + ": is a script, whose interpreter everybody may read",
                     EPERM};
    }
    const interpreter_line line = parse_interpreter(start);
    if (line.path.empty() || line.path.front() != '/') {
      return trouble{trouble::kind::bad_input,
                     *path + ": its first line names no interpreter by an absolute path", ENOEXEC};
    }
    outcome<opened> interpreter = open_executable(line.path, rule, how_far);
    if (!interpreter) {
      trouble why = interpreter.error();
      why.text = *path + ": interpreter " + why.text;
      return why;
    }
    std::vector<std::string> all{line.path};
    if (!line.argument.empty()) all.push_back(line.argument);
    all.push_back(path_inside(result.path, rule.borrowed_root, *path));
    all.insert(all.end(), result.arguments.begin() + 1, result.arguments.end());
    result.arguments = std::move(all);
    result.may_hang = how_far != reach::near || !starts_near(*interpreter);
    result.file = std::move(interpreter->file);
    result.is_script = true;
    return result;
  }
  if (!start.empty() && start.compare(0, 4,
                                      "\x7f"
                                      "ELF") != 0) {
    return trouble{trouble::kind::bad_input,
                   *path + ": is neither an ELF file nor a script with an interpreter line",
                   ENOEXEC};
  }
  result.may_hang = how_far != reach::near || !starts_near(*found);
  result.file = std::move(found->file);
  return result;
}

/// Where neither the file nor the interpreter of a script can make a look hang. Nothing: it may.
std::optional<outcome<program>> find_near_program(const std::string& named,
                                                  const std::vector<std::string>& arguments,
                                                  const std::string& search_path,
                                                  const program_rule& rule) {
  if (rule.borrowed_root >= 0 || named.empty() || named.front() != '/') return std::nullopt;
  outcome<program> found = find_program(named, arguments, search_path, rule, reach::near);
  if (!found && found.error().number == EXDEV) return std::nullopt;
  return found;
}

std::optional<outcome<found_program>> find_near(const program_order& what) {
  if (!what.root_directory.empty()) return std::nullopt;
  std::optional<outcome<program>> found =
      find_near_program(what.named, what.arguments, what.search_path, what.rule);
  if (!found) return std::nullopt;
  if (!*found) return outcome<found_program>(found->error());
  return outcome<found_program>(found_program{std::move(**found), {}});
}

outcome<found_program> find_anywhere(const program_order& what) {
  found_program result;
  program_rule rule = what.rule;
  if (!what.root_directory.empty()) {
    outcome<base::fd> root = open_job_root(what.root_directory);
    if (!root) return root.error();
    result.root = std::move(*root);
    rule.borrowed_root = result.root.get();
  }
  outcome<program> found =
      find_program(what.named, what.arguments, what.search_path, rule, reach::anywhere);
  if (!found) {
    trouble why = found.error();
    if (result.root) why.text = "RootDirectory " + what.root_directory + ": " + why.text;
    return why;
  }
  result.what = std::move(*found);
  return result;
}

std::string looked_at(const program_order& what) {
  if (what.root_directory.empty()) return what.named;
  return what.root_directory + (what.named.find('/') == 0 ? "" : "/") + what.named;
}

}  // namespace

void seek_program(program_order what, base::function<void(outcome<found_program>)> then) {
  if (std::optional<outcome<found_program>> near = find_near(what)) return then(std::move(*near));
  const std::string path = looked_at(what);
  looks().ask<found_program>(
      path, [what = std::move(what)] { return find_anywhere(what); }, std::move(then));
}

outcome<found_program> find_program_now(const program_order& what) {
  if (std::optional<outcome<found_program>> near = find_near(what)) return std::move(*near);
  return looks().look<found_program>(looked_at(what), [what] { return find_anywhere(what); });
}

outcome<program> open_program(const std::string& named, const std::vector<std::string>& arguments,
                              const std::string& search_path, program_rule rule) {
  if (auto near = find_near_program(named, arguments, search_path, rule)) return std::move(*near);
  // A look that is given up goes on when its caller has let go of the root.
  std::shared_ptr<base::fd> root;
  if (rule.borrowed_root >= 0) {
    root = std::make_shared<base::fd>(base::fd::copy(rule.borrowed_root));
    if (!*root) return system_trouble(errno, named);
    rule.borrowed_root = root->get();
  }
  return looks().look<program>(named, [named, arguments, search_path, rule, root] {
    return find_program(named, arguments, search_path, rule, reach::anywhere);
  });
}

}  // namespace openxpc::supervise
