#ifndef LIBPROC_H
#define LIBPROC_H

/// Processes, by their ids. An id proves nothing: by the time that it is looked up it may belong to
/// another process, and a process may have started another program. For deciding what a peer may do
/// use peer requirements. Link libxpc-compat.

#include <os/base.h>
#include <sys/types.h>

#define PROC_PIDPATHINFO_MAXSIZE 4096

/// The path of the program that a process runs, with its NUL. @param size of the buffer; a longer
/// path is an error. @return its length, or 0 with errno set.
OS_EXPORT OS_NONNULL_ALL int proc_pidpath(int pid, void* buffer, uint32_t size);
/// The name of a process, as the kernel shortens it, with its NUL, cut to the buffer. @return its
/// length, or 0 with errno set.
OS_EXPORT OS_NONNULL_ALL int proc_name(int pid, void* buffer, uint32_t size);

#endif
