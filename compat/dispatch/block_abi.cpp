#include "dispatch/block_abi.hpp"

#include <dispatch/data.h>

#include <Block.h>

#include <atomic>
#include <cstdint>

// The layout of blocks is part of the ABI that clang and the BlocksRuntime share. All use of it
// stands here.

extern "C" {
extern void* _NSConcreteStackBlock[];
extern void* _NSConcreteGlobalBlock[];
extern void* _NSConcreteMallocBlock[];
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void* address);
void __tsan_release(void* address);
#endif
}

namespace openxpc::dispatch::block_abi {
namespace {

// The runtime counts references in code that the thread sanitizer does not see.
void order(void* block) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(block);
  __tsan_acquire(block);
#else
  (void)block;
#endif
}

struct descriptor {
  std::uintptr_t reserved;
  std::uintptr_t size;
  void (*copy)(void* to, const void* from);
  void (*dispose)(const void* block);
};

struct layout {
  void* isa;
  std::int32_t flags;
  std::int32_t reserved;
  void (*invoke)(void*);  // the block itself is the first argument; others follow
  const descriptor* described;
};

constexpr std::int32_t has_copy_dispose = 1 << 25, is_global = 1 << 28;

/// What a block made here shares with its copies.
struct shared {
  std::atomic<unsigned> count{1};
  void* state;
  void (*run)(void*);
  void (*drop)(void*);
};

struct made_block : layout {
  shared* with;
};

void made_invoke(void* block) {
  auto& with = *static_cast<made_block*>(block)->with;
  with.run(with.state);
}
void made_copy(void* to, const void* from) {
  shared* with = static_cast<const made_block*>(from)->with;
  with->count.fetch_add(1, std::memory_order_relaxed);
  static_cast<made_block*>(to)->with = with;
}
void made_dispose(const void* block) {
  shared* with = static_cast<const made_block*>(block)->with;
  if (with->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  with->drop(with->state);
  delete with;
}
constexpr descriptor made_described{0, sizeof(made_block), made_copy, made_dispose};

void nothing(void*) {}
constexpr descriptor constant_described{0, sizeof(layout), nullptr, nullptr};
// Blocks that do nothing; their addresses are their meaning.
layout constants[2] = {{_NSConcreteGlobalBlock, is_global, 0, nothing, &constant_described},
                       {_NSConcreteGlobalBlock, is_global, 0, nothing, &constant_described}};

}  // namespace

bool is_block(const void* at) noexcept {
  const void* isa = static_cast<const layout*>(at)->isa;
  return isa == _NSConcreteMallocBlock || isa == _NSConcreteStackBlock ||
         isa == _NSConcreteGlobalBlock;
}

void* copy(void* block) {
  void* copied = _Block_copy(block);
  order(copied);
  return copied;
}

void release(void* block) {
  order(block);
  _Block_release(block);
}

void call(void* block) {
  order(block);
  static_cast<layout*>(block)->invoke(block);
}

void call_and_release(void* block) {
  call(block);
  release(block);
}

void call_with(void* block, std::size_t number) {
  auto invoke = reinterpret_cast<void (*)(void*, std::size_t)>(
      reinterpret_cast<void*>(static_cast<layout*>(block)->invoke));
  invoke(block, number);
}

bool call_with_region(void* block, void* region, std::size_t offset, const void* bytes,
                      std::size_t size) {
  auto invoke = reinterpret_cast<bool (*)(void*, void*, std::size_t, const void*, std::size_t)>(
      reinterpret_cast<void*>(static_cast<layout*>(block)->invoke));
  return invoke(block, region, offset, bytes, size);
}

void* make(void* state, void (*run)(void*), void (*drop)(void*)) {
  auto* with = new shared{{1}, state, run, drop};
  made_block literal{};
  literal.isa = _NSConcreteStackBlock;
  literal.flags = has_copy_dispose;
  literal.invoke = made_invoke;
  literal.described = &made_described;
  literal.with = with;
  void* made = copy(&literal);
  made_dispose(&literal);  // the literal's own reference
  return made;
}

void* state_of(void* block, void (*run)(void*)) {
  if (static_cast<layout*>(block)->invoke != made_invoke) return nullptr;
  shared* with = static_cast<made_block*>(block)->with;
  return with->run == run ? with->state : nullptr;
}

}  // namespace openxpc::dispatch::block_abi

extern "C" {
const dispatch_block_t _dispatch_data_destructor_free = &openxpc::dispatch::block_abi::constants[0];
const dispatch_block_t _dispatch_data_destructor_munmap =
    &openxpc::dispatch::block_abi::constants[1];
}
