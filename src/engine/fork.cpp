#include "engine/fork.hpp"

#include "engine/core.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

// In the child only what is async-signal-safe may be called, and locks may be held by threads that
// are not there. So this reads atomics and makes system calls, nothing else.

namespace openxpc::engine {
namespace {

std::atomic<std::uint32_t> generations{0};

void in_child() {
  core::let_go_making();
  core* engine = core::if_made();
  if (!engine) return;  // nothing was used yet: the child may begin afresh
  bool again = generations.fetch_add(1) != 0;
  if (again) return;
  // The epoll sets first: they are shared with the parent, and there may be no free descriptor
  // number.
  for (std::size_t i = 0; i < engine->loop_count(); ++i) engine->loop_at(i).abandon();
  engine->clock.abandon();
  // The numbers stay taken, since their owners will close them. A socket without an other end reads
  // as the end of the stream and cannot be written to.
  int dead[2];
  bool have = ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, dead) == 0;
  engine->slots.each([&](slot& each) {
    int number = each.fd.exchange(-1);
    if (number < 0) return;
    if (!have || ::dup3(dead[0], number, O_CLOEXEC) < 0) ::close(number);
  });
  if (have) {
    ::close(dead[0]);
    ::close(dead[1]);
  }
}

[[gnu::constructor]] void watch_forks() {
  pthread_atfork(core::hold_making, core::let_go_making, in_child);
}

}  // namespace

bool forked() noexcept { return generations.load(std::memory_order_relaxed) != 0; }

std::uint32_t generation() noexcept { return generations.load(std::memory_order_relaxed); }

}  // namespace openxpc::engine
