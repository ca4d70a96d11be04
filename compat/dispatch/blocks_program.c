// What programs with blocks do, compiled by clang: copies, captures, the block forms of everything.
// Exit status 0 is success; else the line of the check that failed.
#include <dispatch/dispatch.h>

#include <Block.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHECK(what)                                      \
  do {                                                   \
    if (!(what)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
      exit(1);                                           \
    }                                                    \
  } while (0)

static dispatch_queue_t constant_address = dispatch_get_main_queue();

static dispatch_queue_t background(void) { return dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0); }

static void submitting(void) {
  dispatch_queue_t queue = dispatch_queue_create("serial", DISPATCH_QUEUE_SERIAL);
  __block int sum = 0;
  for (int i = 1; i <= 100; i++)
    dispatch_async(queue, ^{
      sum += i;
    });
  dispatch_sync(queue, ^{
    CHECK(sum == 5050);
  });
  dispatch_barrier_async(queue, ^{
    sum = 0;
  });
  dispatch_barrier_sync(queue, ^{
    CHECK(sum == 0);
  });
  dispatch_async_and_wait(queue, ^{
    sum = 7;
  });
  CHECK(sum == 7);
  dispatch_release(queue);

  dispatch_semaphore_t done = dispatch_semaphore_create(0);
  dispatch_after(dispatch_time(DISPATCH_TIME_NOW, (int64_t)NSEC_PER_MSEC), background(), ^{
    dispatch_semaphore_signal(done);
  });
  CHECK(dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER) == 0);
  dispatch_release(done);

  int* counts = calloc(100, sizeof *counts);
  dispatch_apply(100, DISPATCH_APPLY_AUTO, ^(size_t i) {
    counts[i]++;
  });
  for (int i = 0; i < 100; i++) CHECK(counts[i] == 1);
  free(counts);

  for (int i = 0; i < 3; i++) {
    static dispatch_once_t once;
    static int calls;
    dispatch_once(&once, ^{
      calls++;
    });
    CHECK(calls == 1);
  }
}

static void groups(void) {
  dispatch_group_t group = dispatch_group_create();
  dispatch_queue_t queue = dispatch_queue_create("q", DISPATCH_QUEUE_CONCURRENT);
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  __block int ran = 0;
  for (int i = 0; i < 50; i++)
    dispatch_group_async(group, queue, ^{
      __sync_fetch_and_add(&ran, 1);
    });
  dispatch_group_notify(group, queue, ^{
    CHECK(ran == 50);
    dispatch_semaphore_signal(told);
  });
  CHECK(dispatch_group_wait(group, DISPATCH_TIME_FOREVER) == 0);
  dispatch_semaphore_wait(told, DISPATCH_TIME_FOREVER);
  dispatch_release(told);
  dispatch_release(queue);
  dispatch_release(group);
}

static void work_items(void) {
  dispatch_queue_t queue = dispatch_queue_create("items", DISPATCH_QUEUE_CONCURRENT);
  __block int ran = 0;
  dispatch_block_t item = dispatch_block_create(DISPATCH_BLOCK_BARRIER, ^{
    dispatch_assert_queue_barrier(queue);
    ran++;
  });
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  dispatch_block_notify(item, queue, ^{
    dispatch_semaphore_signal(told);
  });
  CHECK(dispatch_block_wait(item, DISPATCH_TIME_NOW) != 0);
  dispatch_async(queue, item);
  CHECK(dispatch_block_wait(item, DISPATCH_TIME_FOREVER) == 0);
  dispatch_semaphore_wait(told, DISPATCH_TIME_FOREVER);
  CHECK(ran == 1);
  CHECK(!dispatch_block_testcancel(item));
  dispatch_block_cancel(item);
  CHECK(dispatch_block_testcancel(item));
  dispatch_sync(queue, item);
  CHECK(ran == 1);
  Block_release(item);
  dispatch_block_perform(0, ^{
    ran = 9;
  });
  CHECK(ran == 9);
  CHECK(dispatch_block_create_with_qos_class(0, 77, 0,
                                             ^{
                                             }) == NULL);
  CHECK(dispatch_block_create(0x100, ^{
                              }) == NULL);
  dispatch_release(told);
  dispatch_release(queue);
}

// Functions that take a block or an object.
static void generic(void) {
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  dispatch_block_t item = dispatch_block_create(0, ^{
                                                });
  dispatch_notify(item, background(), ^{
    dispatch_semaphore_signal(told);
  });
  CHECK(dispatch_wait(item, DISPATCH_TIME_NOW) != 0);
  CHECK(!dispatch_testcancel(item));
  dispatch_cancel(item);
  CHECK(dispatch_testcancel(item));
  dispatch_async(background(), item);
  CHECK(dispatch_wait(item, DISPATCH_TIME_FOREVER) == 0);
  CHECK(dispatch_wait(told, DISPATCH_TIME_FOREVER) == 0);
  Block_release(item);
  dispatch_group_t group = dispatch_group_create();
  dispatch_notify(group, background(), ^{
    dispatch_semaphore_signal(told);
  });
  CHECK(dispatch_wait(told, DISPATCH_TIME_FOREVER) == 0);
  dispatch_release(group);
  dispatch_release(told);
}

static void sources(void) {
  dispatch_source_t timer = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, background());
  dispatch_semaphore_t done = dispatch_semaphore_create(0), gone = dispatch_semaphore_create(0);
  dispatch_source_set_timer(timer, DISPATCH_TIME_NOW, NSEC_PER_MSEC, 0);
  dispatch_source_set_event_handler(timer, ^{
    CHECK(dispatch_source_get_data(timer) > 0);
    dispatch_semaphore_signal(done);
  });
  dispatch_source_set_cancel_handler(timer, ^{
    dispatch_semaphore_signal(gone);
  });
  dispatch_activate(timer);
  for (int i = 0; i < 3; i++) dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
  dispatch_source_cancel(timer);
  dispatch_semaphore_wait(gone, DISPATCH_TIME_FOREVER);
  dispatch_release(timer);
  dispatch_release(done);
  dispatch_release(gone);
}

static void bytes(void) {
  dispatch_semaphore_t gone = dispatch_semaphore_create(0);
  dispatch_data_t kept = dispatch_data_create("kept", 4, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
  dispatch_data_t freed =
      dispatch_data_create(strdup("freed"), 5, NULL, DISPATCH_DATA_DESTRUCTOR_FREE);
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, "page", 4);
  dispatch_data_t mapped = dispatch_data_create(page, 4096, NULL, DISPATCH_DATA_DESTRUCTOR_MUNMAP);
  dispatch_data_t own = dispatch_data_create("own", 3, background(), ^{
    dispatch_semaphore_signal(gone);
  });
  dispatch_data_t all = dispatch_data_create_concat(kept, freed),
                  more = dispatch_data_create_concat(mapped, own);
  dispatch_data_t everything = dispatch_data_create_concat(all, more);
  CHECK(dispatch_data_get_size(everything) == 4 + 5 + 4096 + 3);
  __block int pieces = 0;
  CHECK(dispatch_data_apply(
      everything, ^bool(dispatch_data_t region, size_t offset, const void* at, size_t size) {
        CHECK(region && at && size);
        CHECK(offset < 5000);
        pieces++;
        return true;
      }));
  CHECK(pieces == 4);
  dispatch_data_t objects[] = {kept, freed, mapped, own, all, more, everything};
  for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) dispatch_release(objects[i]);
  dispatch_semaphore_wait(gone, DISPATCH_TIME_FOREVER);
  dispatch_release(gone);
}

int main(void) {
  CHECK(constant_address == dispatch_get_main_queue());
  submitting();
  groups();
  work_items();
  generic();
  sources();
  bytes();
  dispatch_async(background(), ^{
    dispatch_sync(dispatch_get_main_queue(), ^{
      dispatch_assert_queue(dispatch_get_main_queue());
      exit(0);
    });
  });
  dispatch_main();
}
