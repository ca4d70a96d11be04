#include "connection/encoded.hpp"

namespace openxpc::connection {

error_ref encode(const object::dictionary& message, base::buffer& out, attached& with) {
  object::attachments files;
  if (auto obstacle = object::encode(message, out, files))
    return make_error(obstacle->why == object::obstacle::too_large ? OPENXPC_ERROR_TOO_LARGE
                                                                   : OPENXPC_ERROR_INVALID_ARGUMENT,
                      "the message cannot be sent: " + obstacle->text());
  if (!files.empty()) {
    auto kept = base::make_ref<attached::kept>();
    kept->files = std::move(files);
    for (const auto& each : kept->files) kept->numbers.push_back(each->get());
    with.kept_ = std::move(kept);
  }
  return nullptr;
}

}  // namespace openxpc::connection
