#include "attack/hung_mount.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace attack {
namespace {

constexpr std::uint64_t the_file = 2;  // beside the root, which is 1

fuse_attr attributes_of(std::uint64_t node) {
  fuse_attr out{};
  out.ino = node;
  out.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
  out.nlink = 1;
  out.uid = ::geteuid();
  out.gid = ::getegid();
  out.blksize = 4096;
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

}  // namespace

hung_mount::hung_mount(const std::string& directory, server how) : directory_(directory) {
  if (const char* failed = mount_it()) {
    why_not_ = std::string(failed) + ": " + std::strerror(errno);
    device_.reset();
  } else if (how == server::deaf_at_closing) {
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

bool hung_mount::answer(std::string& request) const {
  fuse_in_header head;
  std::memcpy(&head, request.data(), sizeof head);
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
      out.attr = attributes_of(the_file);
      return reply(device_.get(), head.unique, out);
    }
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr = attributes_of(head.nodeid);
      return reply(device_.get(), head.unique, out);
    }
    case FUSE_OPEN:
      return reply(device_.get(), head.unique, fuse_open_out{});
    default:
      return true;  // whoever asks waits
  }
}

}  // namespace attack
