// For tests: a library with the names of libdispatch that knows nothing of XPC. Two queues, work
// runs inside the call. With OTHER_DISPATCH_DATA it has data objects too.
#include <stddef.h>
#include <stdlib.h>

struct _queue {
  const void* key;
  void* value;
};
struct _queue _dispatch_main_q;
static struct _queue global;
static _Thread_local struct _queue* current;

/// How often work was submitted, for the test to look at.
_Atomic int other_dispatch_calls;

#ifdef OTHER_DISPATCH_DATA
struct _data {
  const void* bytes;
  size_t size;
  _Atomic int count;
};
void dispatch_retain(void* object) {
  if (object != &_dispatch_main_q && object != &global) ++((struct _data*)object)->count;
}
void dispatch_release(void* object) {
  if (object == &_dispatch_main_q || object == &global) return;
  if (--((struct _data*)object)->count == 0) free(object);
}
#else
void dispatch_retain(void* object) { (void)object; }
void dispatch_release(void* object) { (void)object; }
#endif
void dispatch_sync_f(void* queue, void* context, void (*work)(void*)) {
  struct _queue* outer = current;
  ++other_dispatch_calls;
  current = queue;
  work(context);
  current = outer;
}
void dispatch_async_f(void* queue, void* context, void (*work)(void*)) {
  dispatch_sync_f(queue, context, work);
}
void dispatch_barrier_async_f(void* queue, void* context, void (*work)(void*)) {
  dispatch_sync_f(queue, context, work);
}
const char* dispatch_queue_get_label(void* queue) {
  (void)queue;
  return "other";
}
void* dispatch_get_global_queue(long identifier, unsigned long flags) {
  (void)identifier;
  (void)flags;
  return &global;
}
void dispatch_queue_set_specific(void* queue, const void* key, void* value,
                                 void (*destructor)(void*)) {
  (void)destructor;
  ((struct _queue*)queue)->key = key;
  ((struct _queue*)queue)->value = value;
}
void* dispatch_get_specific(const void* key) {
  return current && current->key == key ? current->value : NULL;
}
void dispatch_main(void) {
  for (;;) {
  }
}

#ifdef OTHER_DISPATCH_DATA
struct _data* other_dispatch_data(const void* bytes, size_t size) {
  struct _data* made = malloc(sizeof *made);
  made->bytes = bytes;
  made->size = size;
  made->count = 1;
  return made;
}
size_t dispatch_data_get_size(void* data) { return ((struct _data*)data)->size; }
void* dispatch_data_create_map(void* data, const void** bytes, size_t* size) {
  struct _data* from = data;
  *bytes = from->bytes;
  *size = from->size;
  return other_dispatch_data(from->bytes, from->size);
}
#endif
