#include "object/shared_fd.hpp"

#include "object/describe.hpp"

namespace openxpc::object {

void descriptor::describe(describer& out) const { out.file(borrowed_fd(), what()); }

}  // namespace openxpc::object
