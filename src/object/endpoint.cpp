#include "object/endpoint.hpp"

#include "object/describe.hpp"

#include <sys/stat.h>

namespace openxpc::object {

endpoint::endpoint(ref<shared_fd> file) noexcept : object(its_kind), file_(std::move(file)) {
  struct stat seen{};
  if (::fstat(file_->get(), &seen) == 0) {
    device_ = seen.st_dev;
    inode_ = seen.st_ino;
  }
}

void endpoint::describe(describer& out) const {
  out.text(" { device = ").number(device_).text(", inode = ").number(inode_).text(" }");
}

}  // namespace openxpc::object
