#include "handover/handover.hpp"

#include "job/reader.hpp"

#include <xpc/openxpc/error.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>

namespace openxpc::handover {

namespace {

constexpr const char* subject = "state of the xpcd before this one";
constexpr off_t most_bytes = off_t{1} << 30;

struct free_bytes {
  void operator()(void* bytes) const noexcept { std::free(bytes); }
};

trouble unreadable(const std::string& why) {
  return {trouble::kind::bad_input, std::string(subject) + ": " + why};
}

}  // namespace

void outgoing::keep(xpc_object_t into, std::string_view key, int borrowed_fd) {
  if (borrowed_fd < 0) return;
  set(into, key, static_cast<std::int64_t>(borrowed_fd));
  kept_.push_back(borrowed_fd);
}

incoming::incoming(xpc_object_t state) {
  xpc_object_t numbers = get_object(state, "descriptors");
  if (numbers == nullptr || !job::is(numbers, OPENXPC_TYPE_ARRAY)) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(numbers); ++at) {
    const std::int64_t number = ::xpc_array_get_int64(numbers, at);
    if (number < 3 || number > INT32_MAX) continue;
    const int one = static_cast<int>(number);
    if (::fcntl(one, F_SETFD, FD_CLOEXEC) == 0) left_.insert(one);
  }
}

incoming::~incoming() {
  for (const int one : left_) ::close(one);
}

base::fd incoming::take(xpc_object_t from, std::string_view key) {
  const std::optional<std::int64_t> number = get_integer(from, key);
  if (!number || *number > INT32_MAX || left_.erase(static_cast<int>(*number)) == 0) return {};
  return base::fd(static_cast<int>(*number));
}

outcome<base::fd> write(xpc_object_t state, const outgoing& kept) {
  set(state, "format", format);
  object_ref numbers = new_array();
  for (const int one : kept.kept()) {
    append(numbers.get(), object_ref(::xpc_int64_create(one)));
  }
  set(state, "descriptors", std::move(numbers));
  void* encoded = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  if (!::openxpc_object_encode(state, OPENXPC_ENCODING_FILE, &encoded, &size, &error)) {
    trouble why = unreadable(::openxpc_error_get_message(error));
    ::xpc_release(error);
    return why;
  }
  const std::unique_ptr<void, free_bytes> bytes(encoded);
  base::fd file(::memfd_create("xpcd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return system_trouble(errno, subject);
  for (std::size_t done = 0; done < size;) {
    const ssize_t count =
        ::write(file.get(), static_cast<const char*>(encoded) + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_trouble(errno, subject);
    done += static_cast<std::size_t>(count);
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
      0) {
    return system_trouble(errno, subject);
  }
  return file;
}

outcome<object_ref> read(int borrowed_fd) {
  struct stat status;
  if (::fstat(borrowed_fd, &status) < 0) return system_trouble(errno, subject);
  if (!S_ISREG(status.st_mode) || status.st_size > most_bytes) {
    return unreadable("descriptor " + std::to_string(borrowed_fd) + " is not a file of it");
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  // From its beginning, whoever has read it before.
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pread(borrowed_fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_trouble(errno, subject);
    if (count == 0) return unreadable("is shorter than it was");
    done += static_cast<std::size_t>(count);
  }
  xpc_rich_error_t error = nullptr;
  object_ref state(
      ::openxpc_object_decode(bytes.data(), bytes.size(), OPENXPC_ENCODING_FILE, &error));
  if (!state) {
    trouble why = unreadable(::openxpc_error_get_message(error));
    ::xpc_release(error);
    return why;
  }
  if (!job::is(state.get(), OPENXPC_TYPE_DICTIONARY)) return unreadable("is no dictionary");
  const std::optional<std::int64_t> found = get_integer(state.get(), "format");
  if (!found) return unreadable("says nothing of its format");
  if (*found != format) {
    return unreadable("has the format " + std::to_string(*found) + ", this program reads " +
                      std::to_string(format));
  }
  return state;
}

}  // namespace openxpc::handover
