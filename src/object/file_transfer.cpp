#include "object/file_transfer.hpp"

#include "object/describe.hpp"

namespace openxpc::object {

void file_transfer::describe(describer& out) const {
  out.text(" { id = ").number(id_).text(", content = ");
  out.value(content_.get());
  out.text(" }");
}

}  // namespace openxpc::object
