#include "object/data.hpp"

#include "base/spare_blocks.hpp"
#include "object/describe.hpp"
#include "object/string.hpp"

#include <cstring>
#include <limits>
#include <new>

namespace openxpc::object {
namespace {

/// @param block_bytes  0, or what has to go back to base::give_block().
void* allocate(std::size_t size, std::size_t& block_bytes) noexcept {
  if (size < base::spare_least_bytes) return ::operator new(size, std::nothrow);
  const base::memory_block made = base::take_block(size);
  block_bytes = made.size_bytes;
  return made.at;
}

}  // namespace

ref<data> data::blank(std::size_t capacity) noexcept {
  if (capacity > std::numeric_limits<std::size_t>::max() / 2) return nullptr;
  std::size_t block_bytes = 0;
  auto* memory = static_cast<std::byte*>(allocate(sizeof(data) + capacity, block_bytes));
  if (!memory) return nullptr;
  auto* made = new (memory) data(memory + sizeof(data), capacity);
  made->filling_ = true;
  made->block_bytes_ = block_bytes;
  return ref<data>::adopt(made);
}

ref<data> data::copy_of(base::bytes content) noexcept {
  auto made = blank(content.size());
  if (!made) return nullptr;
  if (!content.empty()) std::memcpy(made->fill(), content.data(), content.size());
  made->filling_ = false;
  return made;
}

ref<data> data::borrow(base::bytes content, void* context, void (*release)(void*)) {
  auto* made = new (::operator new(sizeof(data))) data(content.data(), content.size());
  made->release_ = release;
  made->context_ = context;
  return ref<data>::adopt(made);
}

ref<data> data::from(const ref<source>& message, wire::value encoded) {
  auto content = encoded.data();
  if (content.size() < copied_below_bytes)
    if (auto made = copy_of(content)) return made;
  auto shared = message;
  return borrow(content, shared.release(),
                [](void* kept) { static_cast<source*>(kept)->release(); });
}

bool data::finish(std::size_t size) noexcept {
  if (!filling_ || size > size_) return false;
  size_ = size;
  filling_ = false;
  return true;
}

void data::destroy() noexcept {
  if (release_) release_(context_);
  const std::size_t block_bytes = block_bytes_;
  this->~data();
  if (block_bytes)
    base::give_block(this, block_bytes);
  else
    ::operator delete(this);
}

void data::describe(describer& out) const { out.data_value(bytes()); }

}  // namespace openxpc::object
