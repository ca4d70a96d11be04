#include "supervise/output.hpp"

#include "supervise/trusted_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace openxpc::supervise {

namespace {

constexpr off_t page = 4096;

/// Text of a stranger as something that can be printed.
std::string printable(std::string text) {
  std::string result;
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (byte == '\t' || (byte >= 0x20 && byte != 0x7f)) {
      result += c;
    } else {
      static constexpr char digits[] = "0123456789abcdef";
      result += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
    }
  }
  return result;
}

}  // namespace

outcome<base::fd> open_kept_output(int borrowed_run_fd, const std::string& file) {
  // A new file for each run: a leftover of the run before keeps writing into its own.
  ::unlinkat(borrowed_run_fd, file.c_str(), 0);
  base::fd out(::openat(borrowed_run_fd, file.c_str(),
                        O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!out) return system_trouble(errno, file);
  return out;
}

namespace {

outcome<base::fd> open_file(const std::string& path, bool trusted, int flags) {
  base::fd directory;
  std::string name = path;
  if (trusted) {
    outcome<base::fd> parent = open_trusted_parent(path, &name);
    if (!parent) return parent.error();
    directory = std::move(*parent);
  }
  base::fd file(::openat(trusted ? directory.get() : AT_FDCWD, name.c_str(),
                         flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644));
  if (!file) return system_trouble(errno, path);
  // Non-blocking only for the opening: a FIFO without reader must not hold xpcd up.
  ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
  return file;
}

}  // namespace

outcome<base::fd> open_output_path(const std::string& path, bool trusted) {
  return open_file(path, trusted, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW);
}

outcome<base::fd> open_input_path(const std::string& path, bool trusted) {
  return open_file(path, trusted, trusted ? O_RDONLY | O_NOFOLLOW : O_RDONLY);
}

std::vector<std::string> last_lines(int borrowed_file, std::size_t lines, std::size_t bytes) {
  struct stat status;
  std::vector<std::string> result;
  if (::fstat(borrowed_file, &status) < 0 || !S_ISREG(status.st_mode)) return result;
  const std::size_t size = static_cast<std::size_t>(status.st_size);
  const std::size_t from = size > bytes ? size - bytes : 0;
  std::string text(size - from, '\0');
  const ssize_t got = ::pread(borrowed_file, text.data(), text.size(), static_cast<off_t>(from));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  // What was trimmed away reads as zeros.
  text.erase(0, std::min(text.find_first_not_of('\0'), text.size()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  while (!text.empty() && result.size() < lines) {
    const std::size_t newline = text.rfind('\n');
    const bool cut = newline == std::string::npos;
    // The first line is whole only if the text starts where the file does.
    result.push_back((cut && from > 0 ? "..." : "") +
                     printable(text.substr(cut ? 0 : newline + 1)));
    text.resize(cut ? 0 : newline);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

void trim_kept_output(int borrowed_file, std::size_t most) noexcept {
  struct stat status;
  if (::fstat(borrowed_file, &status) < 0) return;
  // Blocks, not size: a file that was trimmed before stays long but thin.
  if (static_cast<std::size_t>(status.st_blocks) * 512 <= most) return;
  const off_t keep_from = (status.st_size - static_cast<off_t>(most / 2)) / page * page;
  if (keep_from > 0) {
    ::fallocate(borrowed_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, keep_from);
  }
}

}  // namespace openxpc::supervise
