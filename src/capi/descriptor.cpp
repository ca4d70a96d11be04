// Boxed descriptors and endpoints.
#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "capi/hooks.hpp"
#include "object/endpoint.hpp"
#include "object/shared_fd.hpp"

#include <xpc/endpoint.h>
#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

bool is_open(int fd) noexcept { return fd >= 0 && ::fcntl(fd, F_GETFD) >= 0; }

xpc_object_t box(base::fd&& owned) {
  return capi::give(
      base::make_ref<object::descriptor>(base::make_ref<object::shared_fd>(std::move(owned))));
}

}  // namespace

xpc_object_t xpc_fd_create(int fd) {
  base::fd copy = base::fd::copy(fd);
  return copy ? box(std::move(copy)) : nullptr;
}

int xpc_fd_dup(xpc_object_t xfd) {
  auto* any = object::as<object::descriptor>(xfd);
  return any ? base::fd::copy(any->borrowed_fd()).release() : -1;
}

xpc_object_t openxpc_fd_create_owned(int owned_fd) {
  return is_open(owned_fd) ? box(base::fd(owned_fd)) : nullptr;
}

int openxpc_fd_get_borrowed(xpc_object_t xfd) {
  auto* any = object::as<object::descriptor>(xfd);
  return any ? any->borrowed_fd() : -1;
}

xpc_endpoint_t xpc_endpoint_create(xpc_connection_t connection) {
  auto& any = capi::need(connection, __func__);
  return static_cast<xpc_endpoint_t>(capi::give(capi::make_endpoint(any, __func__)));
}

xpc_endpoint_t openxpc_endpoint_create_from_fd(int owned_fd) {
  struct stat seen{};
  if (owned_fd < 0 || ::fstat(owned_fd, &seen) != 0 || !S_ISSOCK(seen.st_mode)) return nullptr;
  auto file = base::make_ref<object::shared_fd>(base::fd(owned_fd));
  return static_cast<xpc_endpoint_t>(capi::give(base::make_ref<object::endpoint>(std::move(file))));
}

int openxpc_endpoint_dup_fd(xpc_endpoint_t endpoint) {
  auto* any = object::as<object::endpoint>(endpoint);
  if (any) return base::fd::copy(any->borrowed_fd()).release();
  errno = EINVAL;
  return -1;
}
