#ifndef DISPATCH_DATA_H
#define DISPATCH_DATA_H

/// Immutable bytes, perhaps in several pieces, that are shared instead of copied.

#include <dispatch/object.h>
#include <dispatch/queue.h>

DISPATCH_DECL(dispatch_data);

DISPATCH_BEGIN_DECLS

DISPATCH_EXPORT struct dispatch_data_s _dispatch_data_empty;
/// No bytes at all; not counted.
#ifdef __cplusplus
#define dispatch_data_empty (reinterpret_cast<dispatch_data_t>(&_dispatch_data_empty))
#else
#define dispatch_data_empty ((dispatch_data_t) & _dispatch_data_empty)
#endif

/// How many bytes.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT size_t
dispatch_data_get_size(dispatch_data_t data);
/// The bytes of one, then those of the other; owned.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_concat(dispatch_data_t first, dispatch_data_t second);
/// A part, cut down to what there is; owned.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_subrange(dispatch_data_t data, size_t offset, size_t length);
/// The same bytes in one piece, copied only when there are several; owned. @param bytes, size
/// receive where they are and how many, valid as long as the result; may be null.
DISPATCH_EXPORT DISPATCH_NONNULL(1) DISPATCH_WARN_RESULT dispatch_data_t
    dispatch_data_create_map(dispatch_data_t data, const void** bytes, size_t* size);
/// The piece that holds the byte at `location`; owned. @param offset receives where the piece
/// begins.
DISPATCH_EXPORT DISPATCH_NONNULL_ALL DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_copy_region(dispatch_data_t data, size_t location, size_t* offset);
/// Calls `visit` for each piece in order until it returns false. @return false when it did.
DISPATCH_EXPORT DISPATCH_NONNULL(1, 3) bool dispatch_data_apply_f(
    dispatch_data_t data, void* context,
    bool (*visit)(void* context, dispatch_data_t region, size_t offset, const void* bytes,
                  size_t size));
/// New data, owned. @param destructor called with `context` on `queue` (null: the default global
/// queue) when the bytes are no longer needed; null means that they are copied now.
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_data_t
dispatch_data_create_f(const void* bytes, size_t size, dispatch_queue_t queue, void* context,
                       dispatch_function_t destructor);
#if DISPATCH_HAS_BLOCKS
DISPATCH_BLOCK_TYPE(bool, dispatch_data_applier_t, dispatch_data_t region, size_t offset,
                    const void* bytes, size_t size);
/// What to do with the bytes in the end: copy them now, free() them, munmap() them, or a block of
/// the program's own.
#define DISPATCH_DATA_DESTRUCTOR_DEFAULT NULL
DISPATCH_EXPORT const dispatch_block_t _dispatch_data_destructor_free;
DISPATCH_EXPORT const dispatch_block_t _dispatch_data_destructor_munmap;
#define DISPATCH_DATA_DESTRUCTOR_FREE (_dispatch_data_destructor_free)
#define DISPATCH_DATA_DESTRUCTOR_MUNMAP (_dispatch_data_destructor_munmap)
DISPATCH_EXPORT DISPATCH_WARN_RESULT dispatch_data_t dispatch_data_create(
    const void* bytes, size_t size, dispatch_queue_t queue, dispatch_block_t destructor);
DISPATCH_EXPORT DISPATCH_NONNULL_ALL bool dispatch_data_apply(
    dispatch_data_t data, DISPATCH_NOESCAPE dispatch_data_applier_t applier);
#endif

DISPATCH_END_DECLS

#endif
