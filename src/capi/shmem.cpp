#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "object/shared_memory.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/private.h>
#include <xpc/xpc.h>

#include <cerrno>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

object::descriptor* shared_memory(xpc_object_t handle) noexcept {
  auto* any = static_cast<object::object*>(handle);
  return any && any->what() == OPENXPC_TYPE_SHMEM ? static_cast<object::descriptor*>(any) : nullptr;
}

object::ref<object::descriptor> share(void* region, size_t length, const char* function) {
  using object::region_fault;
  capi::need_pointer(region, "the region", function);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (reinterpret_cast<std::uintptr_t>(region) % page != 0)
    base::misuse(function, "Attempt to pass a malloc(3)ed region to %s(): no page begins at %p",
                 function, region);
  region_fault why{};
  auto made = object::share_region(region, length, why);
  switch (why) {
    case region_fault::none:
      break;
    case region_fault::not_shared:
      base::misuse(function,
                   "Attempt to pass a malloc(3)ed region to %s(): %p was not mapped by MAP_SHARED",
                   function, region);
    case region_fault::not_mapped:
      base::misuse(function, "%zu bytes from %p on are not one mapping", length, region);
    case region_fault::no_descriptor:
      errno = EBADF;
      break;
    case region_fault::no_resources:
      errno = ENOMEM;
      break;
  }
  return made;
}

}  // namespace

xpc_object_t xpc_shmem_create(void* region, size_t length) {
  return capi::give(share(region, length, __func__));
}

xpc_object_t xpc_shmem_create_readonly(void* region, size_t length) {
  auto made = share(region, length, __func__);
  if (made && !object::make_read_only(*made)) {
    errno = EPERM;
    return nullptr;
  }
  return capi::give(std::move(made));
}

size_t xpc_shmem_map(xpc_object_t xshmem, void** region) {
  capi::need_pointer(region, "region", __func__);
  auto* which = shared_memory(xshmem);
  if (!which) return 0;
  const auto made = object::map_region(*which);
  if (made.bytes) *region = made.at;
  return made.bytes;
}

size_t xpc_shmem_get_length(xpc_object_t xshmem) {
  auto* which = shared_memory(xshmem);
  return which ? which->shmem_bytes() : 0;
}

xpc_object_t openxpc_shmem_create_from_fd(int borrowed_fd, size_t length) {
  base::fd copy = base::fd::copy(borrowed_fd);
  return copy ? capi::give(object::share_file(std::move(copy), length)) : nullptr;
}

int openxpc_shmem_dup_fd(xpc_object_t shmem) {
  auto* which = shared_memory(shmem);
  if (which) return base::fd::copy(which->borrowed_fd()).release();
  errno = EINVAL;
  return -1;
}

uint64_t openxpc_shmem_get_length(xpc_object_t shmem) {
  auto* which = shared_memory(shmem);
  return which ? which->shmem_bytes() : 0;
}
