#ifndef XPC_OPENXPC_DISPATCH_H
#define XPC_OPENXPC_DISPATCH_H

/// How libxpc calls dispatch queues without being linked to a dispatch library: through a table of
/// functions.
///
/// Programs need nothing of this. libxpc-dispatch registers its table by itself. Another
/// libdispatch is found among the symbols of the process when the first queue is passed; when it
/// was loaded where such a search does not look (a plug-in opened with RTLD_LOCAL), the program
/// says so by openxpc_dispatch_use_library(). A program that passes a queue while there is no
/// dispatch library at all is ended with a text that says what to link.

#include <xpc/base.h>

#include <stdbool.h>
#include <stddef.h>

OPENXPC_BEGIN_DECLS

/// Queues and data objects are `void *` here, so that the header needs no <dispatch/dispatch.h>.
/// Unless it says otherwise, no entry may be null; each does what the dispatch function of that
/// name does.
struct openxpc_dispatch_table_s {
  size_t size;       ///< sizeof(struct openxpc_dispatch_table_s)
  const char* name;  ///< for messages: which library this is
  void (*retain)(void* object);
  void (*release)(void* object);
  void (*async_f)(void* queue, void* context, void (*work)(void* context));
  void (*barrier_async_f)(void* queue, void* context, void (*work)(void* context));
  void (*sync_f)(void* queue, void* context, void (*work)(void* context));
  const char* (*queue_get_label)(void* queue);
  /// The concurrent queue of default priority, which a null queue stands for (rule 329). Lent.
  void* (*get_default_queue)(void);
  void* (*get_main_queue)(void);
  /// True when the caller runs on that queue, or on one whose chain of target queues leads there
  /// (rule 142). May be null: then the question is put by a queue-specific value.
  bool (*is_current)(void* queue);
  void (*queue_set_specific)(void* queue, const void* key, void* context,
                             void (*destructor)(void* context));
  void* (*get_specific)(const void* key);
  /// dispatch_main(): never returns.
  void (*main)(void);
  /// Data objects; the four are null together in a library without them.
  size_t (*data_get_size)(void* data);
  /// A contiguous form of `data`: owned, and it keeps `*bytes` (may be longer lived than `data`)
  /// valid.
  void* (*data_create_map)(void* data, const void** bytes, size_t* size);
  void (*data_retain)(void* data);
  void (*data_release)(void* data);
};

/// Makes that table the one that libxpc uses. The first registration stands, since objects of two
/// libraries do not mix; a later one of another table is ignored. @param table lent for ever.
/// Threads: any.
XPC_EXPORT void openxpc_dispatch_register(const struct openxpc_dispatch_table_s* table);

/// Looks for a dispatch library among the symbols of `handle`, as dlopen() returned it, and
/// registers it.
/// @return false when it lacks the symbols, or another table stands.
XPC_EXPORT bool openxpc_dispatch_use_library(void* handle);

OPENXPC_END_DECLS

#endif
