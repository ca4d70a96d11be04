#pragma once

namespace openxpc::dispatch::work_block {

/// True for a block of dispatch_block_create() with DISPATCH_BLOCK_BARRIER.
bool wants_barrier(void* block) noexcept;

}  // namespace openxpc::dispatch::work_block
