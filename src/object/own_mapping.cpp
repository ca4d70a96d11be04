#include "object/own_mapping.hpp"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace openxpc::object {
namespace {

struct closing {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

/// The lines of a file of /proc, however long.
class lines {
 public:
  explicit lines(const char* path) : file_(std::fopen(path, "re")) {}
  ~lines() {
    std::free(text_);
    if (file_) std::fclose(file_);
  }
  lines(const lines&) = delete;
  lines& operator=(const lines&) = delete;
  /// Lent until the next call; null at the end.
  char* next() {
    if (!file_) return nullptr;
    // The analyzer does not see that the destructor closes.
    // NOLINTNEXTLINE(clang-analyzer-unix.Stream)
    ssize_t length = ::getline(&text_, &room_, file_);
    if (length <= 0) return nullptr;
    if (text_[length - 1] == '\n') text_[length - 1] = '\0';
    return text_;
  }

 private:
  std::FILE* file_;
  char* text_ = nullptr;
  std::size_t room_ = 0;
};

/// "7f00-7f10 rw-s 00001000 00:01 1234   /memfd:x (deleted)"; nothing for lines of another form.
std::optional<own_mapping> parsed(const char* line) {
  own_mapping found;
  char rights[5] = {}, device[24] = {};
  int path_at = 0;
  if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %23s %" SCNu64 " %n",
                  &found.begin, &found.end, rights, &found.offset, device, &found.inode,
                  &path_at) < 6)
    return std::nullopt;
  found.readable = rights[0] == 'r';
  found.writable = rights[1] == 'w';
  found.shared = rights[3] == 's';
  found.device = device;
  if (path_at) found.path = line + path_at;
  return found;
}

std::string target_of(const std::string& link) {
  std::string target(4096, '\0');
  ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return target;
}

/// Numbers of devices as stat() and as the kernel's list have them differ on some file systems, so
/// the kernel is asked in its own words: by a mapping.
bool is_of(int borrowed_fd, const own_mapping& which) {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* probe = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, borrowed_fd, 0);
  if (probe == MAP_FAILED) return false;
  auto seen = own_mapping_at(probe);
  ::munmap(probe, size);
  return seen && seen->names_same_file(which);
}

bool can_write(int borrowed_fd) { return (::fcntl(borrowed_fd, F_GETFL) & O_ACCMODE) == O_RDWR; }

}  // namespace

std::vector<own_mapping> own_mappings() {
  std::vector<own_mapping> all;
  lines from("/proc/self/maps");
  while (const char* line = from.next())
    if (auto found = parsed(line)) all.push_back(std::move(*found));
  return all;
}

std::optional<own_mapping> own_mapping_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  lines from("/proc/self/maps");
  while (const char* line = from.next()) {
    auto found = parsed(line);
    if (found && found->begin <= wanted && wanted < found->end) return found;
  }
  return std::nullopt;
}

bool may_become_writable(const own_mapping& which) {
  if (which.writable) return true;
  lines from("/proc/self/smaps");
  bool here = false;
  while (const char* line = from.next()) {
    // A key of these, too, may begin like a number ("FilePmdMapped"), but has no two of them.
    if (auto found = parsed(line))
      here = found->begin == which.begin;
    else if (here && std::string_view(line).starts_with("VmFlags:"))
      return std::string_view(line).find(" mw") != std::string_view::npos;
  }
  return false;
}

base::fd descriptor_of(const own_mapping& which, bool writable) {
  if (which.inode == 0) return {};
  std::unique_ptr<DIR, closing> folder(::opendir("/proc/self/fd"));
  if (!folder) return {};
  base::fd found;
  while (const dirent* each = ::readdir(folder.get())) {
    const std::string link = std::string("/proc/self/fd/") + each->d_name;
    if (target_of(link) != which.path) continue;
    const int fd = std::atoi(each->d_name);
    if (!is_of(fd, which)) continue;
    if (!writable) {  // never more than the mapping itself allows
      found = base::fd(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
      if (found) return found;
    } else if (can_write(fd)) {
      return base::fd::copy(fd);
    }
  }
  struct stat named{};
  if (which.is_nameless() || ::stat(which.path.c_str(), &named) != 0 || !S_ISREG(named.st_mode))
    return {};
  found =
      base::fd(::open(which.path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
  if (found && !is_of(found.get(), which)) found.reset();
  return found;
}

}  // namespace openxpc::object
