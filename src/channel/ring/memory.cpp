#include "channel/ring/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace openxpc::channel {
namespace {

constexpr std::size_t head_bytes = 4096;
constexpr std::size_t whole_bytes = head_bytes + 2 * ring_bytes;
static_assert(2 * sizeof(ring_positions) <= head_bytes);
/// Neither shorter, which would be a SIGBUS (threat T44), nor longer; and so it stays.
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

std::unique_ptr<ring_memory> ring_memory::make() noexcept {
  base::fd file(::memfd_create("xpc-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ::ftruncate(file.get(), whole_bytes) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, seals) != 0)
    return nullptr;
  auto made = mapped(file);
  if (made) made->file_ = std::move(file);
  return made;
}

std::unique_ptr<ring_memory> ring_memory::map(const base::fd& made_by_peer) noexcept {
  struct stat what{};
  // Only memory has seals: nothing else is asked anything.
  const int sealed = ::fcntl(made_by_peer.get(), F_GET_SEALS);
  if (sealed < 0 || (sealed & seals) != seals || (sealed & F_SEAL_WRITE) ||
      ::fstat(made_by_peer.get(), &what) != 0 || what.st_size != whole_bytes) {
    errno = EPROTO;
    return nullptr;
  }
  return mapped(made_by_peer);
}

std::unique_ptr<ring_memory> ring_memory::mapped(const base::fd& file) noexcept {
  void* at = ::mmap(nullptr, whole_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) return nullptr;
  // A forked child must not be a second writer (threats T7 and T71).
  if (::madvise(at, whole_bytes, MADV_DONTFORK) != 0) {
    ::munmap(at, whole_bytes);
    return nullptr;
  }
  return std::unique_ptr<ring_memory>(new ring_memory(static_cast<std::byte*>(at)));
}

ring_memory::~ring_memory() { ::munmap(at_, whole_bytes); }

ring_positions& ring_memory::positions(unsigned direction) const noexcept {
  // The zeros of fresh memory are the positions of an empty ring.
  return reinterpret_cast<ring_positions*>(at_)[direction];
}

std::byte* ring_memory::bytes(unsigned direction) const noexcept {
  return at_ + head_bytes + direction * ring_bytes;
}

}  // namespace openxpc::channel
