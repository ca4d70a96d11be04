#pragma once

#include <cstddef>

namespace openxpc::dispatch::block_abi {

/// True for memory that begins as a block does; `at` is a block or an object of this library.
bool is_block(const void* at) noexcept;
/// A block on the heap with a reference for the caller.
void* copy(void* block);
void release(void* block);
/// Calls a block that takes nothing.
void call(void* block);
/// The same, and gives a reference back: what becomes of a submitted block.
void call_and_release(void* block);
/// Calls a block that takes one number.
void call_with(void* block, std::size_t number);
/// Calls a block of dispatch_data_apply().
bool call_with_region(void* block, void* region, std::size_t offset, const void* bytes,
                      std::size_t size);

/// Makes a block, owned by the caller, that calls `run(state)`. Copies of it share `state`;
/// `drop(state)` comes with the last.
void* make(void* state, void (*run)(void* state), void (*drop)(void* state));
/// The state of a block that make() made for that `run`; null for every other block.
void* state_of(void* block, void (*run)(void* state));

}  // namespace openxpc::dispatch::block_abi
