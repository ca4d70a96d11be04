#ifndef OS_SIGNPOST_H
#define OS_SIGNPOST_H

/// Signposts mark intervals for Apple's Instruments. Nobody reads them here: the macros evaluate
/// the log and the id and nothing else.

#include <os/log.h>

typedef uint64_t os_signpost_id_t;

#define OS_SIGNPOST_ID_NULL ((os_signpost_id_t)0)
#define OS_SIGNPOST_ID_INVALID (~(os_signpost_id_t)0)
#define OS_SIGNPOST_ID_EXCLUSIVE ((os_signpost_id_t)0xEEEEB0B5B2B2EEEE)

/// False.
OS_INLINE bool os_signpost_enabled(os_log_t log) {
  (void)log;
  return false;
}
OS_INLINE os_signpost_id_t os_signpost_id_generate(os_log_t log) {
  (void)log;
  return OS_SIGNPOST_ID_EXCLUSIVE;
}
OS_INLINE os_signpost_id_t os_signpost_id_make_with_pointer(os_log_t log, const void* pointer) {
  (void)log;
  return (os_signpost_id_t)(uintptr_t)pointer;
}
#define os_signpost_event_emit(log, id, ...) ((void)(log), (void)(id))
#define os_signpost_interval_begin(log, id, ...) ((void)(log), (void)(id))
#define os_signpost_interval_end(log, id, ...) ((void)(log), (void)(id))

#endif
