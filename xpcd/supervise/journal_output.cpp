#include "supervise/journal_output.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "journal.hpp"

namespace openxpc::supervise {

namespace {

constexpr const char* told_attribute = "user.openxpc.told";
constexpr std::size_t most_line_bytes = 48 << 10;  // as journald cuts the lines of a stream
constexpr std::size_t read_bytes = 256 << 10;

/// Fails in silence where the file system has no such attributes: told_part_of() knows.
void note_told(int borrowed_file, off_t told) noexcept {
  ::fsetxattr(borrowed_file, told_attribute, &told, sizeof told, 0);
}

/// False when it is to be told later.
bool tell_line(const std::string& label, std::string_view line) {
  // What was trimmed away meanwhile reads as zeros.
  line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
  if (line.empty()) return true;
  const journal_line one = parse_journal_line(line);
  const std::string priority = std::to_string(one.priority);
  return journal::send({{"MESSAGE", one.text},
                        {"PRIORITY", priority},
                        {"SYSLOG_IDENTIFIER", label},
                        {"OPENXPC_LABEL", label}}) ||
         errno != EAGAIN;
}

}  // namespace

journal_line parse_journal_line(std::string_view line) {
  if (line.size() < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>') {
    return {6, line};
  }
  return {line[1] - '0', line.substr(3)};
}

void begin_telling(int borrowed_new_file) noexcept { note_told(borrowed_new_file, 0); }

off_t told_part_of(int borrowed_file) noexcept {
  off_t told = 0;
  struct stat status;
  if (::fstat(borrowed_file, &status) < 0) return 0;
  const bool known = ::fgetxattr(borrowed_file, told_attribute, &told, sizeof told) == sizeof told;
  return known && told >= 0 && told <= status.st_size ? told : status.st_size;
}

bool tell_journal(const std::string& label, int borrowed_file, off_t* told, bool to_the_end) {
  const off_t before = *told;
  bool taken = true;
  std::string text;
  for (bool more = true; more && taken;) {
    text.resize(read_bytes);
    const ssize_t got = ::pread(borrowed_file, text.data(), text.size(), *told);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    more = text.size() == read_bytes;
    std::string_view left = text;
    while (!left.empty() && taken) {
      const std::size_t end = left.find('\n');
      const bool whole = end != std::string_view::npos;
      // What has no end yet waits for it, unless nothing more comes or it is too long already.
      if (!whole && left.size() <= most_line_bytes && (more || !to_the_end)) break;
      const std::size_t size = std::min(whole ? end : left.size(), most_line_bytes);
      taken = tell_line(label, left.substr(0, size));
      if (taken) left.remove_prefix(size + (size == end ? 1 : 0));
    }
    *told += static_cast<off_t>(text.size() - left.size());
  }
  if (*told != before) note_told(borrowed_file, *told);
  return taken;
}

}  // namespace openxpc::supervise
