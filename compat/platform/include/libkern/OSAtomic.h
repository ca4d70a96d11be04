#ifndef LIBKERN_OSATOMIC_H
#define LIBKERN_OSATOMIC_H

/// Atomic operations of older sources. Each returns the new value; all are sequentially consistent,
/// those without Barrier in their name too. New code uses <stdatomic.h>.

#include <stdbool.h>
#include <stdint.h>

#define OPENXPC_ATOMIC_FAMILY(bits)                                                              \
  static __inline__ int##bits##_t OSAtomicAdd##bits(int##bits##_t amount,                        \
                                                    volatile int##bits##_t* value) {             \
    return __atomic_add_fetch(value, amount, __ATOMIC_SEQ_CST);                                  \
  }                                                                                              \
  static __inline__ int##bits##_t OSAtomicAdd##bits##Barrier(int##bits##_t amount,               \
                                                             volatile int##bits##_t* value) {    \
    return __atomic_add_fetch(value, amount, __ATOMIC_SEQ_CST);                                  \
  }                                                                                              \
  static __inline__ int##bits##_t OSAtomicIncrement##bits(volatile int##bits##_t* value) {       \
    return __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST);                                       \
  }                                                                                              \
  static __inline__ int##bits##_t OSAtomicIncrement##bits##Barrier(                              \
      volatile int##bits##_t* value) {                                                           \
    return __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST);                                       \
  }                                                                                              \
  static __inline__ int##bits##_t OSAtomicDecrement##bits(volatile int##bits##_t* value) {       \
    return __atomic_sub_fetch(value, 1, __ATOMIC_SEQ_CST);                                       \
  }                                                                                              \
  static __inline__ int##bits##_t OSAtomicDecrement##bits##Barrier(                              \
      volatile int##bits##_t* value) {                                                           \
    return __atomic_sub_fetch(value, 1, __ATOMIC_SEQ_CST);                                       \
  }                                                                                              \
  static __inline__ bool OSAtomicCompareAndSwap##bits(int##bits##_t before, int##bits##_t after, \
                                                      volatile int##bits##_t* value) {           \
    return __atomic_compare_exchange_n(value, &before, after, false, __ATOMIC_SEQ_CST,           \
                                       __ATOMIC_SEQ_CST);                                        \
  }                                                                                              \
  static __inline__ bool OSAtomicCompareAndSwap##bits##Barrier(                                  \
      int##bits##_t before, int##bits##_t after, volatile int##bits##_t* value) {                \
    return __atomic_compare_exchange_n(value, &before, after, false, __ATOMIC_SEQ_CST,           \
                                       __ATOMIC_SEQ_CST);                                        \
  }

OPENXPC_ATOMIC_FAMILY(32)
OPENXPC_ATOMIC_FAMILY(64)
#undef OPENXPC_ATOMIC_FAMILY

static __inline__ bool OSAtomicCompareAndSwapPtrBarrier(void* before, void* after,
                                                        void* volatile* value) {
  return __atomic_compare_exchange_n(value, &before, after, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}
static __inline__ bool OSAtomicCompareAndSwapPtr(void* before, void* after, void* volatile* value) {
  return OSAtomicCompareAndSwapPtrBarrier(before, after, value);
}
static __inline__ void OSMemoryBarrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#endif
