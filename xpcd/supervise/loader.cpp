#include "supervise/loader.hpp"

#include "supervise/trusted_path.hpp"

#include <elf.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>

namespace openxpc::supervise {

namespace {

/// As much of a file as usually has all that is asked of it here: one read.
constexpr std::size_t first_bytes = 2048;

/// What stands at a place in the file; nothing when it ends before.
template <class T>
std::optional<T> value_at(const std::string& text, std::size_t at) {
  if (at > text.size() || text.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

/// Empty: it names none. Nothing: that cannot be told.
template <class Header, class Segment>
std::optional<std::string> loader_in(const std::string& text) {
  const std::optional<Header> header = value_at<Header>(text, 0);
  if (!header || header->e_phentsize != sizeof(Segment)) return std::nullopt;
  for (std::size_t i = 0; i < header->e_phnum; ++i) {
    const std::optional<Segment> one =
        value_at<Segment>(text, header->e_phoff + i * sizeof(Segment));
    if (!one) return std::nullopt;
    if (one->p_type != PT_INTERP) continue;
    if (one->p_offset > text.size() || text.size() - one->p_offset < one->p_filesz)
      return std::nullopt;
    return std::string(text.c_str() + one->p_offset);
  }
  return std::string();
}

std::optional<std::string> loader_of(const std::string& text) {
  if (text.compare(0, SELFMAG, ELFMAG) != 0 || text.size() <= EI_CLASS) return std::nullopt;
  return text[EI_CLASS] == ELFCLASS64 ? loader_in<Elf64_Ehdr, Elf64_Phdr>(text)
                                      : loader_in<Elf32_Ehdr, Elf32_Phdr>(text);
}

/// Where every system has what is root's alone, and a single look is enough.
bool is_of_the_system(const std::string& path) {
  for (const char* place : {"/lib", "/usr/lib"})
    if (path.compare(0, std::strlen(place), place) == 0)
      return path.find("/..") == std::string::npos && open_near(path);
  return false;
}

}  // namespace

bool has_near_loader(int borrowed_file) {
  std::string text(first_bytes, '\0');
  const ssize_t got = ::pread(borrowed_file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::optional<std::string> loader = loader_of(text);
  if (!loader) return false;
  return loader->empty() || is_of_the_system(*loader) || open_trusted(*loader, reach::near);
}

}  // namespace openxpc::supervise
