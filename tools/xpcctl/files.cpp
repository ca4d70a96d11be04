#include "files.hpp"

#include <sysexits.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace xpcctl {
namespace {

/// Twice the largest message in hexadecimal, and room for line ends.
constexpr std::size_t most_bytes = std::size_t{512} << 20;

struct close_file {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int complain(int status, const std::string& subject, const char* reason) {
  std::fprintf(stderr, "xpcctl: %s: %s\n", subject.c_str(), reason);
  return status;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

std::string name_of_input(const std::string& file) { return file == "-" ? "standard input" : file; }

int read_input(const std::string& file, std::string& out) {
  std::unique_ptr<std::FILE, close_file> opened;
  std::FILE* from = stdin;
  if (file != "-") {
    opened.reset(std::fopen(file.c_str(), "rbe"));
    if (!opened) return complain(EX_NOINPUT, file, std::strerror(errno));
    from = opened.get();
  }
  std::string bytes;
  char part[65536];
  while (std::size_t count = std::fread(part, 1, sizeof part, from)) {
    bytes.append(part, count);
    if (bytes.size() > most_bytes)
      return complain(EX_DATAERR, name_of_input(file), "more than 512 MiB");
  }
  if (std::ferror(from)) return complain(EX_IOERR, name_of_input(file), std::strerror(errno));
  out = std::move(bytes);
  return EX_OK;
}

int write_output(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return EX_OK;
  return complain(EX_IOERR, "standard output", std::strerror(errno));
}

bool bytes_of_hex(std::string_view text, std::string& out) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_space(text[i])) continue;
    int high = digit_value(text[i]);
    int low = i + 1 < text.size() ? digit_value(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      bool half = high >= 0 && (i + 1 == text.size() || is_space(text[i + 1]));
      std::fprintf(stderr, "offset %zu: %s\n", high < 0 || half ? i : i + 1,
                   half ? "half a byte, one hexadecimal digit" : "not a hexadecimal digit");
      return false;
    }
    bytes += static_cast<char>(high << 4 | low);
    ++i;
  }
  out = std::move(bytes);
  return true;
}

std::string hex_of_bytes(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace xpcctl
