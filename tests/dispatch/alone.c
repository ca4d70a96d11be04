// Rule 321: a program that includes <dispatch/dispatch.h> alone. It only has to compile.
#include <dispatch/dispatch.h>

// The main queue is a constant address, good for a static initialiser.
static dispatch_queue_t main_queue = dispatch_get_main_queue();

// The classes and units are constants for the compiler.
enum {
  highest = QOS_CLASS_USER_INTERACTIVE,
  lowest = QOS_CLASS_BACKGROUND,
  usual = QOS_CLASS_DEFAULT,
  none = QOS_CLASS_UNSPECIFIED
};
_Static_assert((int)highest == 0x21 && (int)lowest == 0x09 && (int)usual == 0x15 && none == 0,
               "the numbers that programs store");
_Static_assert(NSEC_PER_SEC == 1000000000 && NSEC_PER_MSEC * MSEC_PER_SEC == NSEC_PER_SEC &&
                   USEC_PER_SEC * NSEC_PER_USEC == NSEC_PER_SEC,
               "units");

// In C every object is a dispatch_object_t, and a queue of any kind a dispatch_queue_t.
static void conversions(dispatch_source_t source, dispatch_group_t group) {
  dispatch_retain(source);
  dispatch_release(source);
  dispatch_retain(group);
  dispatch_release(group);
  dispatch_queue_t queue = dispatch_get_global_queue(lowest, 0);
  dispatch_queue_t serial = dispatch_queue_create("q", DISPATCH_QUEUE_SERIAL);
  dispatch_set_target_queue(serial, queue);
  dispatch_release(serial);
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1)
    conversions(dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, main_queue),
                dispatch_group_create());
  return main_queue == dispatch_get_main_queue() ? 0 : 1;
}
