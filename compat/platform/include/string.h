// The system's header, with what Apple's has besides.
// Compilers call #include_next an extension in every other header.
#pragma GCC system_header
#include_next <string.h>

#ifndef OPENXPC_COMPAT_STRING_H
#define OPENXPC_COMPAT_STRING_H

// Since 2.38 the C library has them.
#if defined(__GLIBC__) && (__GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 38))

#ifdef __cplusplus
extern "C" {
#endif

/// Copies as much of `from` as fits, always with a NUL (unless `size` is 0). @return the length of
/// `from`: `size` or more means that it was cut.
static __inline__ size_t strlcpy(char* to, const char* from, size_t size) {
  size_t length = strlen(from);
  if (size != 0) {
    size_t fits = length < size ? length : size - 1;
    memcpy(to, from, fits);
    to[fits] = '\0';
  }
  return length;
}
/// Appends as much of `from` as fits into `size` bytes in all. @return the length that was tried
/// for.
static __inline__ size_t strlcat(char* to, const char* from, size_t size) {
  const char* end = (const char*)memchr(to, 0, size);
  size_t before = end ? (size_t)(end - to) : size;
  if (!end) return size + strlen(from);
  return before + strlcpy(to + before, from, size - before);
}

#ifdef __cplusplus
}
#endif

#endif

#endif
