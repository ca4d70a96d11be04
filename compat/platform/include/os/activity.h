#ifndef OS_ACTIVITY_H
#define OS_ACTIVITY_H

/// Activities tie log messages of several processes together on Apple's systems. Here they run what
/// they are given and are otherwise nothing.

#include <os/base.h>

typedef struct os_activity_s* os_activity_t;
typedef uint64_t os_activity_id_t;
typedef struct os_activity_scope_state_s {
  uint64_t opaque[2];
}* os_activity_scope_state_t;
OS_ENUM(os_activity_flag, uint32_t, OS_ACTIVITY_FLAG_DEFAULT = 0, OS_ACTIVITY_FLAG_DETACHED = 1,
        OS_ACTIVITY_FLAG_IF_NONE_PRESENT = 2);

#define OS_ACTIVITY_NONE ((os_activity_t)0)
#define OS_ACTIVITY_CURRENT ((os_activity_t)0)

/// No object; nothing has to be released.
#define os_activity_create(description, parent, flags) \
  ((void)(description), (void)(parent), (void)(flags), OS_ACTIVITY_NONE)
#define os_activity_scope(activity) ((void)(activity))
#define os_activity_label_useraction(description) ((void)(description))
OS_INLINE void os_activity_scope_enter(os_activity_t activity, os_activity_scope_state_t state) {
  (void)activity;
  (void)state;
}
OS_INLINE void os_activity_scope_leave(os_activity_scope_state_t state) { (void)state; }
/// 0. @param parent receives 0; may be null.
OS_INLINE os_activity_id_t os_activity_get_identifier(os_activity_t activity,
                                                      os_activity_id_t* parent) {
  (void)activity;
  if (parent) *parent = 0;
  return 0;
}
OS_INLINE void os_activity_apply_f(os_activity_t activity, void* context, os_function_t function) {
  (void)activity;
  function(context);
}
/// Calls the function or the block here and now.
#define os_activity_initiate_f(description, flags, context, function) \
  ((void)(description), (void)(flags), (function)(context))
#ifdef __BLOCKS__
OS_INLINE void os_activity_apply(os_activity_t activity, OS_NOESCAPE os_block_t block) {
  (void)activity;
  block();
}
#define os_activity_initiate(description, flags, block) \
  ((void)(description), (void)(flags), os_activity_apply(OS_ACTIVITY_NONE, block))
#endif

#endif
