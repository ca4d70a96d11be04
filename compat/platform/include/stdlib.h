// The system's header, with what Apple's has besides. The system's header is read in parts by
// others of its kind, so it decides itself what of it is read again. Compilers call #include_next
// an extension in every other header.
#pragma GCC system_header
#include_next <stdlib.h>

#ifndef OPENXPC_COMPAT_STDLIB_H
#define OPENXPC_COMPAT_STDLIB_H

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

extern char* program_invocation_short_name;

/// The name of the running program, without its directory; lent.
static __inline__ const char* getprogname(void) { return program_invocation_short_name; }
/// Sets it. @param name lent for as long as the program runs; its directory is left out.
static __inline__ void setprogname(const char* name) {
  const char* from = name;
  for (const char* at = name; *at; ++at)
    if (*at == '/') from = at + 1;
  program_invocation_short_name = (char*)from;
}

#ifdef __cplusplus
}
#endif

#endif
