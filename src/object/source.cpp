#include "object/source.hpp"

#include "base/recycled.hpp"

#include <cstring>
#include <new>

namespace openxpc::object {

ref<source> source::with_room(wire::mode spoken, std::size_t more) {
  const std::size_t block_bytes = sizeof(source) + more;
  return ref<source>::adopt(new (base::take_small(block_bytes)) source(spoken, block_bytes));
}

ref<source> source::copy_of(base::bytes message, std::vector<base::fd>&& attachments,
                            wire::mode spoken, std::optional<wire::malformed>& fault,
                            const wire::limits& max) {
  if (message.size() > max.bytes) {
    fault = wire::malformed{wire::fault::message_too_large, 0};
    return nullptr;
  }
  auto made = with_room(spoken, message.size());
  std::byte* copy = made->behind();
  if (!message.empty()) std::memcpy(copy, message.data(), message.size());
  made->bytes_ = {copy, message.size()};
  return made->accept(std::move(attachments), fault, max) ? std::move(made) : nullptr;
}

ref<source> source::over(ref<base::block> message, std::vector<base::fd>&& attachments,
                         wire::mode spoken, std::optional<wire::malformed>& fault,
                         const wire::limits& max) {
  auto made = with_room(spoken, 0);
  made->bytes_ = message->view();
  made->kept_ = std::move(message);
  return made->accept(std::move(attachments), fault, max) ? std::move(made) : nullptr;
}

bool source::accept(std::vector<base::fd>&& attachments, std::optional<wire::malformed>& fault,
                    const wire::limits& max) {
  wire::summary found;
  fault = wire::validate(bytes_, spoken_, attachments.size(), max, &found);
  if (fault) return false;
  auto owned = std::move(attachments);
  where_ = std::move(found.out_of_line);
  attachments_.reserve(owned.size());
  for (auto& each : owned) attachments_.push_back(shared_fd::received(std::move(each)));
  return true;
}

void source::destroy() const noexcept {
  auto* self = const_cast<source*>(this);
  const std::size_t block_bytes = block_bytes_;
  self->~source();
  base::give_small(self, block_bytes);
}

}  // namespace openxpc::object
