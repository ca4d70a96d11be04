#include "base/recycled.hpp"

#include "base/sanitized.hpp"

#include <new>

namespace openxpc::base {
namespace {

constexpr std::size_t step_bytes = 64, sizes = recycled_most_bytes / step_bytes;

struct spare {
  spare* next;
};

/// Has no destructor, so that every access need not ask whether it was made already.
struct shelf {
  spare* first[sizes];
  unsigned char count[sizes];
  unsigned char most;  // of each; 0 before the first block and once the thread ends
  bool ended;
};
constinit thread_local shelf own{};

/// Frees what the thread has kept.
struct sweeper {
  ~sweeper() {
    own.most = 0;
    own.ended = true;
    for (spare*& first : own.first)
      while (spare* each = first) {
        first = each->next;
        ::operator delete(each);
      }
  }
};

/// Where blocks of a size are kept; `sizes` or more for those that are not.
std::size_t place_of(std::size_t size_bytes) noexcept { return (size_bytes - 1) / step_bytes; }

}  // namespace

void* take_small(std::size_t size_bytes) {
  const std::size_t place = place_of(size_bytes);
  if (place >= sizes) return ::operator new(size_bytes);
  shelf& from = own;
  if (spare* taken = from.first[place]) [[likely]] {
    from.first[place] = taken->next;
    --from.count[place];
    return taken;
  }
  return ::operator new((place + 1) * step_bytes);
}

void give_small(void* at, std::size_t size_bytes) noexcept {
  const std::size_t place = place_of(size_bytes);
  if (place >= sizes) return ::operator delete(at);
  shelf& to = own;
  if (to.count[place] >= to.most) [[unlikely]] {
    if (!keeps_memory || to.most != 0 || to.ended) return ::operator delete(at);
    static thread_local const sweeper at_the_end_of_the_thread;
    static_cast<void>(&at_the_end_of_the_thread);
    to.most = recycled_most_count;
  }
  to.first[place] = new (at) spare{to.first[place]};
  ++to.count[place];
}

}  // namespace openxpc::base
