#include "supervise/state_file.hpp"

#include "base/fd.hpp"

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/plist.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace openxpc::supervise {

namespace {

constexpr off_t most_file_bytes = 4 << 20;

}  // namespace

failure_of write_whole(int directory, const std::string& name, const void* bytes, std::size_t size,
                       const std::string& what) {
  const std::string fresh = "." + name + ".new";
  base::fd file(::openat(directory, fresh.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_trouble(errno, what + " " + name);
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t done = ::write(file.get(), at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      trouble why = system_trouble(errno, what + " " + name);
      ::unlinkat(directory, fresh.c_str(), 0);
      return why;
    }
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  if (::renameat(directory, fresh.c_str(), directory, name.c_str()) < 0) {
    trouble why = system_trouble(errno, what + " " + name);
    ::unlinkat(directory, fresh.c_str(), 0);
    return why;
  }
  return std::nullopt;
}

std::optional<std::string> read_whole(int directory, const std::string& name) {
  base::fd file(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode) ||
      status.st_size > most_file_bytes) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

namespace {

trouble bad_input(const std::string& before, xpc_rich_error_t owned_error) {
  const object_ref error(owned_error);
  return {trouble::kind::bad_input, before + ::openxpc_error_get_message(owned_error)};
}

}  // namespace

outcome<object_ref> read_plist(int directory, const std::string& name, const std::string& shown) {
  const std::optional<std::string> text = read_whole(directory, name);
  if (!text) return trouble{trouble::kind::not_found, shown + ": cannot be read"};
  xpc_rich_error_t error = nullptr;
  object_ref list(::openxpc_plist_parse(text->data(), text->size(), shown.c_str(), &error));
  if (!list) return bad_input("", error);
  return list;
}

failure_of write_plist(int directory, const std::string& name, xpc_object_t list,
                       const std::string& what) {
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  const std::unique_ptr<char, decltype(&std::free)> text(
      ::openxpc_plist_write_xml(list, &size, &error), &std::free);
  if (!text) return bad_input(what + " " + name + ": ", error);
  return write_whole(directory, name, text.get(), size, what);
}

}  // namespace openxpc::supervise
