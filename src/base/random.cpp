#include "base/random.hpp"

#include "base/misuse.hpp"

#include <sys/random.h>

#include <cerrno>

namespace openxpc::base {

void fill_random(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      bug("getrandom failed with error %d", errno);
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_u64() noexcept {
  std::uint64_t number = 0;
  fill_random(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

}  // namespace openxpc::base
