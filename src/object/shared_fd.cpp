#include "object/shared_fd.hpp"

#include "object/describe.hpp"
#include "object/shared_memory.hpp"

namespace openxpc::object {

void descriptor::describe(describer& out) const {
  if (what() == OPENXPC_TYPE_SHMEM)
    out.shared_memory(bytes_, borrowed_fd());
  else
    out.file(borrowed_fd());
}

void descriptor::destroy() noexcept {
  const bool memory = what() == OPENXPC_TYPE_SHMEM;
  delete this;
  if (memory) forget_unmapped_regions();
}

}  // namespace openxpc::object
