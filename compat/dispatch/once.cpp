#include "base/futex.hpp"

#include <dispatch/once.h>

#include <atomic>

#include "dispatch/block_abi.hpp"
#include "dispatch/bug.hpp"
#include "dispatch/sleep.hpp"

// The predicate's first four bytes are the word that threads sleep on.

namespace {

enum : std::uint32_t { untouched = 0, running = 1, awaited = 2, over = UINT32_MAX };

}  // namespace

void dispatch_once_f(dispatch_once_t* predicate, void* context, dispatch_function_t function) {
  using namespace openxpc;
  if (!predicate) dispatch::client_bug(__func__, "the predicate is null");
  auto& word = *reinterpret_cast<std::atomic<std::uint32_t>*>(predicate);
  std::uint32_t seen = word.load(std::memory_order_acquire);
  while (seen != over) {
    if (seen == untouched) {
      if (!word.compare_exchange_weak(seen, running, std::memory_order_acquire)) continue;
      function(context);
      if (word.exchange(over, std::memory_order_release) == awaited)
        base::futex_wake(word, INT32_MAX);
      return;
    }
    if (seen == awaited || word.compare_exchange_weak(seen, awaited, std::memory_order_acquire)) {
      dispatch::sleep_while(word, awaited);
      seen = word.load(std::memory_order_acquire);
    }
  }
}

void dispatch_once(dispatch_once_t* predicate, dispatch_block_t block) {
  dispatch_once_f(predicate, block, openxpc::dispatch::block_abi::call);
}
