#include "object/object.hpp"

#include "base/misuse.hpp"

namespace openxpc::object {

void object::describe(describer&) const {}

void object::end() const noexcept {
  // Written through a volatile so that it is not optimised away as the last store before the memory
  // is freed.
  *const_cast<volatile std::uint32_t*>(&magic_) = dead;
  const_cast<object*>(this)->destroy();
}

void object::gone(const char* function) const noexcept {
  if (magic_ == dead || count_.load(std::memory_order_relaxed) == 0)
    base::misuse(function, "object %p was released more often than retained; it is gone",
                 static_cast<const void*>(this));
  base::misuse(function, "%p is not an XPC object, or was released more often than retained",
               static_cast<const void*>(this));
}

}  // namespace openxpc::object
