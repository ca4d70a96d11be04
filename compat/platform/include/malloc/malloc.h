#ifndef MALLOC_MALLOC_H
#define MALLOC_MALLOC_H

#include <malloc.h>
#include <stddef.h>

/// How many bytes of the heap an address from malloc(3) has, at least what was asked for; 0 for
/// NULL. Other addresses are not recognised as such, unlike on macOS.
static __inline__ size_t malloc_size(const void* at) { return malloc_usable_size((void*)at); }
/// How many bytes malloc() would really give: a multiple of 16 here.
static __inline__ size_t malloc_good_size(size_t size) { return (size + 15) & ~(size_t)15; }

#endif
