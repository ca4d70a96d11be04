// A program as a user of the installed package ports it: XPC, dispatch and what else its source
// includes.
#include <dispatch/dispatch.h>
#include <xpc/xpc.h>

#include <Availability.h>
#include <TargetConditionals.h>
#include <mach/mach_time.h>
#include <os/lock.h>
#include <os/log.h>
#include <os/object.h>

#if !TARGET_OS_LINUX || __MAC_OS_X_VERSION_MIN_REQUIRED < __MAC_10_12
#error "the headers of openxpc-compat were not found"
#endif

static os_unfair_lock lock = OS_UNFAIR_LOCK_INIT;
static uint64_t count;

int main(void) {
  os_log_t log = os_log_create("org.example.consumer", "main");
  uint64_t start = mach_absolute_time();
  dispatch_queue_t queue = dispatch_queue_create("org.example.consumer", DISPATCH_QUEUE_SERIAL);
  dispatch_sync(queue, ^{
    os_unfair_lock_lock(&lock);
    count++;
    os_unfair_lock_unlock(&lock);
  });
  xpc_object_t number = os_retain(xpc_uint64_create(count));
  os_log_info(log, "counted %{public}llu in %llu ns",
              (unsigned long long)xpc_uint64_get_value(number),
              (unsigned long long)(mach_absolute_time() - start));
  bool right = xpc_uint64_get_value(number) == 1;
  os_release(number);
  os_release(number);
  os_release(queue);
  puts(right ? "hello" : "wrong");
  return right ? 0 : 1;
}
