#include "capi/block.hpp"

#include "base/sanitized.hpp"

extern "C" {
void* _Block_copy(const void* block);
void _Block_release(const void* block);
}

namespace openxpc::capi {

// The block runtime counts references in code that ThreadSanitizer does not see: tell it that what
// was done before a release happens before the block is freed.

void* copy_block(void* borrowed) noexcept { return _Block_copy(borrowed); }

void release_block(void* owned) noexcept {
#ifdef OPENXPC_TSAN
  __tsan_release(owned);
  __tsan_acquire(owned);
#endif
  _Block_release(owned);
}

}  // namespace openxpc::capi
