#ifndef MACH_O_DYLD_H
#define MACH_O_DYLD_H

#include <os/base.h>

/// The path of the running program. Link libxpc-compat. @param size in: how large `buffer` is; out,
/// when that was too small: what is needed. @return 0, or -1 with the buffer untouched.
OS_EXPORT OS_NONNULL_ALL int _NSGetExecutablePath(char* buffer, uint32_t* size);

#endif
