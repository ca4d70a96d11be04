#include "object/shared_memory.hpp"

#include "object/own_mapping.hpp"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

namespace openxpc::object {
namespace {

std::size_t page_bytes() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// 0 for what does not fit.
std::size_t whole_pages(std::uint64_t bytes) noexcept {
  const std::size_t page = page_bytes();
  if (bytes > SIZE_MAX - page) return 0;
  return (static_cast<std::size_t>(bytes) + page - 1) / page * page;
}

bool cannot_shrink(int borrowed_fd) noexcept {
  const int seals = ::fcntl(borrowed_fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK);
}

/// Does nothing to files on disk and to what was sealed against it; receivers do not map those.
void seal_against_shrinking(int borrowed_fd) {
  if (::fcntl(borrowed_fd, F_GET_SEALS) < 0 ||
      ::fcntl(borrowed_fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
    return;
  // Only a descriptor that may write may seal.
  const std::string link = "/proc/self/fd/" + std::to_string(borrowed_fd);
  base::fd writing(::open(link.c_str(), O_RDWR | O_CLOEXEC));
  if (writing) (void)::fcntl(writing.get(), F_ADD_SEALS, F_SEAL_SHRINK);
}

/// Files in memory that stand for regions of this process. Programs box the same region again and
/// again, once for each client, and each must get the same memory; but a mapping alone leads nobody
/// back to its file.
struct kept_files {
  std::mutex mutex;
  std::vector<ref<shared_fd>> all;
};
kept_files& kept() {
  static auto* forever = new kept_files;
  return *forever;
}

void keep(ref<shared_fd> file) {
  std::lock_guard lock(kept().mutex);
  kept().all.push_back(std::move(file));
}

ref<descriptor> box(ref<shared_fd> file, std::size_t bytes) {
  return base::make_ref<descriptor>(std::move(file), OPENXPC_TYPE_SHMEM, bytes, made_by::us);
}

bool write_all(int borrowed_fd, const void* from, std::size_t bytes) {
  auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t written = ::write(borrowed_fd, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

base::fd new_memory_file() {
#ifdef MFD_NOEXEC_SEAL
  base::fd made(::memfd_create("xpc-shmem", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  if (made || errno != EINVAL) return made;
#endif
  return base::fd(::memfd_create("xpc-shmem", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

/// Puts a file with the same content where the region is.
ref<descriptor> replace_region(void* region, std::size_t bytes, const own_mapping& there,
                               region_fault& why) {
  const std::size_t pages = whole_pages(bytes);
  why = region_fault::no_resources;
  base::fd file = new_memory_file();
  if (!file) return nullptr;
  const int rights = (there.readable ? PROT_READ : 0) | (there.writable ? PROT_WRITE : 0);
  if (!there.readable && ::mprotect(region, pages, rights | PROT_READ) != 0) return nullptr;
  // Without growing and shrinking it is as safe for those who get it as for us, who share it.
  const bool filled = write_all(file.get(), region, pages) &&
                      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0;
  if (!there.readable) (void)::mprotect(region, pages, rights);
  if (!filled || ::mmap(region, pages, rights, MAP_SHARED | MAP_FIXED, file.get(), 0) == MAP_FAILED)
    return nullptr;
  auto made = box(base::make_ref<shared_fd>(std::move(file)), bytes);
  keep(made->file());
  why = region_fault::none;
  return made;
}

}  // namespace

ref<descriptor> share_region(void* region, std::size_t bytes, region_fault& why) {
  forget_unmapped_regions();
  const auto begin = reinterpret_cast<std::uintptr_t>(region);
  const std::size_t pages = whole_pages(bytes);
  auto there = own_mapping_at(region);
  why = region_fault::not_mapped;
  if (!there || pages == 0 || pages > there->end - begin) return nullptr;
  why = region_fault::not_shared;
  if (!there->shared) return nullptr;
  if (base::fd file = descriptor_of(*there, may_become_writable(*there))) {
    why = region_fault::no_descriptor;
    if (there->offset + (begin - there->begin) != 0) return nullptr;
    auto made = share_file(std::move(file), bytes);
    if (made) why = region_fault::none;
    return made;
  }
  why = region_fault::no_descriptor;
  return there->is_nameless() ? replace_region(region, bytes, *there, why) : nullptr;
}

ref<descriptor> share_file(base::fd owned, std::size_t bytes) {
  struct stat seen{};
  if (::fstat(owned.get(), &seen) != 0) return nullptr;
  if (!S_ISREG(seen.st_mode) || bytes == 0 || static_cast<std::uint64_t>(seen.st_size) < bytes) {
    errno = EINVAL;
    return nullptr;
  }
  seal_against_shrinking(owned.get());
  return box(base::make_ref<shared_fd>(std::move(owned)), bytes);
}

bool make_read_only(const descriptor& which) {
#ifdef F_SEAL_FUTURE_WRITE
  return ::fcntl(which.borrowed_fd(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0;
#else
  (void)which;
  return false;
#endif
}

mapped_region map_region(const descriptor& which) {
  const std::size_t pages = whole_pages(which.shmem_bytes());
  const int fd = which.borrowed_fd();
  struct stat seen{};
  struct statfs on{};
  // Memory in huge pages would be mapped in steps that the size of a page says nothing of.
  if (pages == 0 || ::fstat(fd, &seen) != 0 || !S_ISREG(seen.st_mode) ||
      static_cast<std::uint64_t>(seen.st_size) < which.shmem_bytes() || ::fstatfs(fd, &on) != 0 ||
      on.f_type == HUGETLBFS_MAGIC)
    return {};
  if (which.maker() == made_by::peer && !cannot_shrink(fd)) return {};
  for (int rights : {PROT_READ | PROT_WRITE, PROT_READ}) {
    void* at = ::mmap(nullptr, pages, rights, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) return {at, pages};
    if (errno != EACCES && errno != EPERM) break;
  }
  return {};
}

void forget_unmapped_regions() noexcept {
  std::vector<ref<shared_fd>> gone;  // closed behind the lock
  std::lock_guard lock(kept().mutex);
  auto& all = kept().all;
  if (all.empty()) return;
  const auto mappings = own_mappings();
  auto is_mapped = [&](const ref<shared_fd>& file) {
    struct stat seen{};
    if (::fstat(file->get(), &seen) != 0) return true;
    return std::any_of(mappings.begin(), mappings.end(), [&](const own_mapping& each) {
      return each.shared && each.inode == seen.st_ino && each.path.starts_with("/memfd:");
    });
  };
  auto split = std::partition(all.begin(), all.end(), is_mapped);
  gone.assign(std::make_move_iterator(split), std::make_move_iterator(all.end()));
  all.erase(split, all.end());
}

}  // namespace openxpc::object
