#include "connection/encoded.hpp"

namespace openxpc::connection {
namespace {

/// Less is copied: then the thread's buffer keeps its memory.
constexpr std::size_t movable_least_bytes = 16384;

}  // namespace

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

error_ref encode(const object::dictionary& message, base::buffer& scratch, encoded_message& out) {
  out.body = object::encoding_of(message);
  if (!out.body.empty()) return nullptr;
  scratch.clear();
  if (error_ref fault = encode(message, scratch, out.with)) return fault;
  out.body = scratch.view();
  out.movable = &scratch;
  return nullptr;
}

base::buffer& scratch_of_thread() noexcept {
  static thread_local base::buffer scratch;
  return scratch;
}

void lend(const encoded_message& message, channel::outgoing& to) {
  to.body = message.body;
  if (message.body.size() > movable_least_bytes) to.movable = message.movable;
  message.with.lend(to);
}

}  // namespace openxpc::connection
