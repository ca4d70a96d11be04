// Compiled by clang with blocks: real blocks, real queues. See handlers.h.
#include "handlers.h"

#include <dispatch/dispatch.h>
#include <xpc/xpc.h>

#include <signal.h>
#include <stdatomic.h>

#define CHECK(what)               \
  do {                            \
    if (!(what)) return __LINE__; \
  } while (0)

static void wait_for(dispatch_semaphore_t semaphore) {
  dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER);
}

// A listener that answers each request with the same message, and a client of it.
struct pair {
  xpc_connection_t listener, client;
};
static struct pair make_pair(dispatch_queue_t client_queue) {
  struct pair made;
  made.listener = xpc_connection_create(NULL, NULL);
  xpc_connection_set_event_handler(made.listener, ^(xpc_object_t peer) {
    if (xpc_get_type(peer) != XPC_TYPE_CONNECTION) return;
    xpc_connection_set_event_handler((xpc_connection_t)peer, ^(xpc_object_t event) {
      if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
      xpc_connection_send_message((xpc_connection_t)peer, event);
    });
    xpc_connection_resume((xpc_connection_t)peer);
  });
  xpc_connection_resume(made.listener);
  xpc_endpoint_t endpoint = xpc_endpoint_create(made.listener);
  made.client = xpc_connection_create_from_endpoint(endpoint);
  xpc_connection_set_target_queue(made.client, client_queue);
  xpc_release(endpoint);
  return made;
}
static void release_pair(struct pair* gone) {
  xpc_connection_cancel(gone->listener);
  xpc_release(gone->listener);
  if (gone->client) xpc_release(gone->client);
}
static void send_empty(xpc_connection_t to) {
  xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
  xpc_connection_send_message(to, message);
  xpc_release(message);
}

int cancelled_listener_is_told_on_its_queue(void) {
  static int key;
  dispatch_queue_t queue = dispatch_queue_create("listener", DISPATCH_QUEUE_SERIAL);
  dispatch_queue_set_specific(queue, &key, &key, NULL);
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  __block bool inside_cancel = false, right = false;
  xpc_connection_t listener = xpc_connection_create(NULL, queue);
  xpc_connection_set_event_handler(listener, ^(xpc_object_t event) {
    right = event == XPC_ERROR_CONNECTION_INVALID && dispatch_get_specific(&key) == &key &&
            !inside_cancel;
    dispatch_semaphore_signal(told);
  });
  xpc_connection_resume(listener);
  // On the queue itself: were the handler called inside cancel, it would see that.
  dispatch_sync(queue, ^{
    inside_cancel = true;
    xpc_connection_cancel(listener);
    inside_cancel = false;
  });
  wait_for(told);
  CHECK(right);
  xpc_release(listener);
  dispatch_release(told);
  dispatch_release(queue);
  return 0;
}

int handler_on_a_live_connection_replaces_the_old(void) {
  dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_SERIAL);
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  __block int first = 0, second = 0, last = 0;
  struct pair both = make_pair(queue);
  xpc_connection_set_event_handler(both.client, ^(xpc_object_t event) {
    (void)event;
    first++;
    dispatch_semaphore_signal(told);
  });
  xpc_connection_resume(both.client);
  send_empty(both.client);
  wait_for(told);
  xpc_connection_set_event_handler(both.client, ^(xpc_object_t event) {
    if (event == XPC_ERROR_CONNECTION_INVALID)
      last++;
    else
      second++;
    dispatch_semaphore_signal(told);
  });
  send_empty(both.client);
  wait_for(told);
  xpc_connection_cancel(both.client);
  wait_for(told);
  dispatch_sync(queue, ^{
                });
  CHECK(first == 1);
  CHECK(second == 1);
  CHECK(last == 1);
  release_pair(&both);
  dispatch_release(told);
  dispatch_release(queue);
  return 0;
}

// A block as other languages make it: on the stack, by hand, with helpers that count.
struct made_block {
  void* isa;
  int flags, reserved;
  void (*invoke)(struct made_block* self, xpc_object_t event);
  const struct made_descriptor* descriptor;
  struct counts* counts;
};
struct made_descriptor {
  unsigned long reserved, size;
  void (*copy)(void* to, const void* from);
  void (*dispose)(const void* block);
};
struct counts {
  atomic_int copies, drops, events, final_events, drops_at_final_event;
  dispatch_semaphore_t told, dropped;
};
extern void* _NSConcreteStackBlock[];

static void made_copy(void* to, const void* from) {
  (void)to;
  ((const struct made_block*)from)->counts->copies++;
}
static void made_dispose(const void* block) {
  struct counts* counts = ((const struct made_block*)block)->counts;
  counts->drops++;
  dispatch_semaphore_signal(counts->dropped);
}
static void made_invoke(struct made_block* self, xpc_object_t event) {
  struct counts* counts = self->counts;
  if (event == XPC_ERROR_CONNECTION_INVALID) {
    counts->final_events++;
    counts->drops_at_final_event = counts->drops;
  } else {
    counts->events++;
  }
  dispatch_semaphore_signal(counts->told);
}
static const struct made_descriptor made_described = {0, sizeof(struct made_block), made_copy,
                                                      made_dispose};

static void set_made_handler(xpc_connection_t connection, struct counts* counts) {
  struct made_block literal = {_NSConcreteStackBlock, 1 << 25,         0,
                               made_invoke,           &made_described, counts};
  void* at = &literal;
  xpc_handler_t handler;
  memcpy(&handler, &at, sizeof handler);
  xpc_connection_set_event_handler(connection, handler);
}

int block_is_copied_and_dropped_once(void) {
  struct counts counts = {.told = dispatch_semaphore_create(0),
                          .dropped = dispatch_semaphore_create(0)};
  struct pair both = make_pair(NULL);
  set_made_handler(both.client, &counts);
  xpc_connection_resume(both.client);
  send_empty(both.client);
  wait_for(counts.told);
  CHECK(counts.copies == 1);
  CHECK(counts.drops == 0);
  dispatch_semaphore_t over = dispatch_semaphore_create(0);
  // Replacing it lets it go.
  xpc_connection_set_event_handler(both.client, ^(xpc_object_t event) {
    if (event == XPC_ERROR_CONNECTION_INVALID) dispatch_semaphore_signal(over);
  });
  wait_for(counts.dropped);
  xpc_connection_cancel(both.client);
  wait_for(over);
  CHECK(counts.copies == 1);
  CHECK(counts.drops == 1);
  CHECK(counts.events == 1);
  release_pair(&both);
  dispatch_release(over);
  dispatch_release(counts.told);
  dispatch_release(counts.dropped);
  return 0;
}

int block_lives_until_the_final_event_was_delivered(void) {
  struct counts counts = {.told = dispatch_semaphore_create(0),
                          .dropped = dispatch_semaphore_create(0)};
  dispatch_queue_t queue = dispatch_queue_create("client", DISPATCH_QUEUE_SERIAL);
  struct pair both = make_pair(queue);
  set_made_handler(both.client, &counts);
  xpc_connection_resume(both.client);
  send_empty(both.client);
  wait_for(counts.told);
  // Cancelled and given back; the final event waits for its queue, and so does the block.
  dispatch_suspend(queue);
  xpc_connection_cancel(both.client);
  xpc_release(both.client);
  both.client = NULL;
  CHECK(counts.drops == 0);
  dispatch_resume(queue);
  wait_for(counts.told);
  wait_for(counts.dropped);
  CHECK(counts.final_events == 1);
  CHECK(counts.drops_at_final_event == 0);
  CHECK(counts.drops == 1);
  release_pair(&both);
  dispatch_release(queue);
  dispatch_release(counts.told);
  dispatch_release(counts.dropped);
  return 0;
}

int null_queue_is_a_concurrent_default(void) {
  // The main thread sleeps in here; were the main queue meant, nothing would come.
  dispatch_semaphore_t here = dispatch_semaphore_create(0), go = dispatch_semaphore_create(0),
                       told = dispatch_semaphore_create(0);
  struct pair first = make_pair(NULL), second = make_pair(NULL);
  xpc_connection_t clients[] = {first.client, second.client};
  for (int i = 0; i < 2; i++) {
    xpc_connection_set_event_handler(clients[i], ^(xpc_object_t event) {
      dispatch_assert_queue_not(dispatch_get_main_queue());
      if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) {
        dispatch_semaphore_signal(here);
        wait_for(go);
      }
      dispatch_semaphore_signal(told);
    });
    xpc_connection_resume(clients[i]);
    send_empty(clients[i]);
  }
  // Both handlers are inside at once.
  wait_for(here);
  wait_for(here);
  dispatch_semaphore_signal(go);
  dispatch_semaphore_signal(go);
  wait_for(told);
  wait_for(told);
  for (int i = 0; i < 2; i++) {
    xpc_connection_cancel(clients[i]);
    wait_for(told);
  }
  release_pair(&first);
  release_pair(&second);
  dispatch_release(here);
  dispatch_release(go);
  dispatch_release(told);
  return 0;
}

static dispatch_semaphore_t finalized;
static atomic_int finalizer_sum;
static void finalizer(void* context) {
  finalizer_sum += *(int*)context;
  dispatch_semaphore_signal(finalized);
}

int peers_may_be_configured_before_they_are_resumed(void) {
  finalizer_sum = 0;
  static int key, value = 5;
  finalized = dispatch_semaphore_create(0);
  dispatch_queue_t queue = dispatch_queue_create("peer", DISPATCH_QUEUE_SERIAL);
  dispatch_queue_set_specific(queue, &key, &key, NULL);
  dispatch_semaphore_t told = dispatch_semaphore_create(0), gone = dispatch_semaphore_create(0);
  __block bool on_queue = false, with_context = false;
  xpc_connection_t listener = xpc_connection_create(NULL, NULL);
  xpc_connection_set_event_handler(listener, ^(xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_CONNECTION) return;
    xpc_connection_t peer = (xpc_connection_t)event;
    xpc_connection_set_context(peer, &value);
    xpc_connection_set_finalizer_f(peer, finalizer);
    xpc_connection_set_event_handler(peer, ^(xpc_object_t message) {
      if (xpc_get_type(message) != XPC_TYPE_DICTIONARY) return;
      on_queue = dispatch_get_specific(&key) == &key;
      with_context = xpc_connection_get_context(peer) == &value;
      dispatch_semaphore_signal(told);
    });
    // After the handler, before activation.
    xpc_connection_set_target_queue(peer, queue);
    xpc_connection_resume(peer);
  });
  xpc_connection_resume(listener);
  xpc_endpoint_t endpoint = xpc_endpoint_create(listener);
  xpc_connection_t client = xpc_connection_create_from_endpoint(endpoint);
  xpc_connection_set_event_handler(client, ^(xpc_object_t event) {
    (void)event;
    dispatch_semaphore_signal(gone);
  });
  xpc_connection_resume(client);
  send_empty(client);
  wait_for(told);
  CHECK(on_queue);
  CHECK(with_context);
  xpc_connection_cancel(client);
  wait_for(gone);
  wait_for(finalized);
  CHECK(finalizer_sum == value);
  xpc_connection_cancel(listener);
  xpc_release(client);
  xpc_release(endpoint);
  xpc_release(listener);
  dispatch_release(queue);
  dispatch_release(told);
  dispatch_release(gone);
  dispatch_release(finalized);
  return 0;
}

int ignored_signal_reaches_its_source(void) {
  dispatch_semaphore_t ready = dispatch_semaphore_create(0), told = dispatch_semaphore_create(0),
                       over = dispatch_semaphore_create(0);
  signal(SIGUSR1, SIG_IGN);
  dispatch_source_t source = dispatch_source_create(
      DISPATCH_SOURCE_TYPE_SIGNAL, SIGUSR1, 0, dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0));
  __block uintptr_t times = 0;
  dispatch_source_set_event_handler(source, ^{
    times += dispatch_source_get_data(source);
    dispatch_semaphore_signal(told);
  });
  dispatch_source_set_registration_handler(source, ^{
    dispatch_semaphore_signal(ready);
  });
  dispatch_source_set_cancel_handler(source, ^{
    dispatch_semaphore_signal(over);
  });
  dispatch_resume(source);
  wait_for(ready);
  kill(getpid(), SIGUSR1);
  wait_for(told);
  kill(getpid(), SIGUSR1);
  wait_for(told);
  CHECK(times == 2);
  dispatch_source_cancel(source);
  wait_for(over);
  dispatch_release(source);
  dispatch_release(ready);
  dispatch_release(told);
  dispatch_release(over);
  return 0;
}
