#include "attack/hung_mount.hpp"

#include "support/patience.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace attack {
namespace {

constexpr std::uint64_t the_file = 2;  // beside the root, which is 1

/// In the flags with which the kernel opens what it is to start.
constexpr std::uint32_t opened_to_start = 0x20;

fuse_attr attributes_of(std::uint64_t node, std::size_t size) {
  fuse_attr out{};
  out.ino = node;
  out.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
  out.nlink = 1;
  out.uid = ::geteuid();
  out.gid = ::getegid();
  out.blksize = 4096;
  if (node != FUSE_ROOT_ID) out.size = size;
  return out;
}

template <class T>
bool reply(int device, std::uint64_t request, const T& body) {
  fuse_out_header head{};
  head.unique = request;
  head.len = sizeof head + sizeof body;
  const iovec parts[] = {{&head, sizeof head}, {const_cast<T*>(&body), sizeof body}};
  return ::writev(device, parts, 2) == static_cast<ssize_t>(head.len);
}

bool reply_error(int device, std::uint64_t request, int error) {
  fuse_out_header head{};
  head.unique = request;
  head.len = sizeof head;
  head.error = -error;
  return ::write(device, &head, sizeof head) == static_cast<ssize_t>(sizeof head);
}

bool reply_text(int device, std::uint64_t request, std::string_view text) {
  fuse_out_header head{};
  head.unique = request;
  head.len = static_cast<std::uint32_t>(sizeof head + text.size());
  const iovec parts[] = {{&head, sizeof head}, {const_cast<char*>(text.data()), text.size()}};
  return ::writev(device, parts, 2) == static_cast<ssize_t>(head.len);
}

template <class T>
T body_of(const std::string& request) {
  T body{};
  std::memcpy(&body, request.data() + sizeof(fuse_in_header),
              std::min(sizeof body, request.size() - sizeof(fuse_in_header)));
  return body;
}

}  // namespace

hung_mount::hung_mount(const std::string& directory, server how, const std::string& program)
    : how_(how), directory_(directory) {
  std::stringstream content;
  if (!program.empty()) content << std::ifstream(program, std::ios::binary).rdbuf();
  content_ = content.str();
  if (const char* failed = mount_it()) {
    why_not_ = std::string(failed) + ": " + std::strerror(errno);
    device_.reset();
  } else if (how != server::silent) {
    stop_.reset(::eventfd(0, EFD_CLOEXEC));
    answers_ = std::thread([this] { answer_all(); });
  }
}

/// @return what failed, with errno; nullptr when nothing did.
const char* hung_mount::mount_it() {
  // Nobody else gets to see it.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return "a mount namespace of its own";
  device_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device_) return "/dev/fuse";
  const std::string options = "fd=" + std::to_string(device_.get()) +
                              ",rootmode=40000,allow_other,user_id=" + std::to_string(::geteuid()) +
                              ",group_id=" + std::to_string(::getegid());
  const bool mounted =
      ::mount("hung", directory_.c_str(), "fuse.hung", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
  return mounted ? nullptr : "mount of a file system in user space";
}

hung_mount::~hung_mount() {
  if (answers_.joinable()) {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) < 0) std::perror("hung_mount");
    answers_.join();
  }
  if (!*this) return;
  // Without its server every request fails.
  device_.reset();
  ::umount2(directory_.c_str(), MNT_DETACH);
}

void hung_mount::answer_all() {
  std::string request;
  for (;;) {
    pollfd both[] = {{device_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(both, 2, -1) < 0 && errno == EINTR) continue;
    if (both[1].revents != 0) return;
    request.resize(1 << 17);
    const ssize_t got = ::read(device_.get(), request.data(), request.size());
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) continue;
    request.resize(static_cast<std::size_t>(got));
    if (!answer(request)) return;
  }
}

void hung_mount::wait_until_asked() {
  std::unique_lock lock(mutex_);
  if (!asked_.wait_for(lock, xpc_testing::patience(), [&] { return !held_.empty(); }))
    throw std::runtime_error("nobody asked the file system");
}

void hung_mount::let_go() {
  std::lock_guard lock(mutex_);
  for (const fuse_in_header& request : held_) {
    const bool answered = request.opcode == FUSE_OPEN
                              ? reply(device_.get(), request.unique, fuse_open_out{})
                              : reply_error(device_.get(), request.unique, ENOENT);
    if (!answered) std::perror("hung_mount");
  }
  held_.clear();
}

bool hung_mount::hold(const fuse_in_header& request) {
  std::lock_guard lock(mutex_);
  held_.push_back(request);
  asked_.notify_all();
  return true;
}

bool hung_mount::answer(std::string& request) {
  fuse_in_header head;
  std::memcpy(&head, request.data(), sizeof head);
  if (how_ == server::deaf_at_looks && head.opcode == FUSE_LOOKUP) return hold(head);
  switch (head.opcode) {
    case FUSE_INIT: {
      fuse_init_out out{};
      out.major = FUSE_KERNEL_VERSION;
      out.minor = FUSE_KERNEL_MINOR_VERSION;
      out.max_write = 65536;
      return reply(device_.get(), head.unique, out);
    }
    case FUSE_LOOKUP: {
      fuse_entry_out out{};
      out.nodeid = the_file;
      out.attr = attributes_of(the_file, content_.size());
      return reply(device_.get(), head.unique, out);
    }
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr = attributes_of(head.nodeid, content_.size());
      return reply(device_.get(), head.unique, out);
    }
    case FUSE_OPEN:
      if (how_ == server::deaf_at_exec &&
          (body_of<fuse_open_in>(request).flags & opened_to_start) != 0)
        return hold(head);
      return reply(device_.get(), head.unique, fuse_open_out{});
    case FUSE_READ: {
      const auto what = body_of<fuse_read_in>(request);
      return reply_text(device_.get(), head.unique,
                        std::string_view(content_).substr(
                            std::min<std::size_t>(what.offset, content_.size()), what.size));
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return true;  // nobody waits
    default:
      if (how_ == server::deaf_at_exec || how_ == server::answering)
        return reply_error(device_.get(), head.unique, ENOSYS);
      return true;  // whoever asks waits
  }
}

}  // namespace attack
