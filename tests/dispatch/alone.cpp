// Rule 321, and how the types derive in C++. It only has to compile.
#include <dispatch/dispatch.h>

#include <type_traits>

template <class From, class To>
constexpr bool converts = std::is_convertible_v<From, To>;

static_assert(converts<dispatch_queue_t, dispatch_object_t>);
static_assert(converts<dispatch_source_t, dispatch_object_t>);
static_assert(converts<dispatch_group_t, dispatch_object_t>);
static_assert(converts<dispatch_semaphore_t, dispatch_object_t>);
static_assert(converts<dispatch_data_t, dispatch_object_t>);
static_assert(converts<dispatch_queue_main_t, dispatch_queue_serial_t>);
static_assert(converts<dispatch_queue_serial_t, dispatch_queue_t>);
static_assert(converts<dispatch_queue_concurrent_t, dispatch_queue_t>);
static_assert(converts<dispatch_queue_global_t, dispatch_queue_t>);
static_assert(converts<dispatch_workloop_t, dispatch_queue_t>);
// The other way, and sideways, needs a cast.
static_assert(!converts<dispatch_object_t, dispatch_queue_t>);
static_assert(!converts<dispatch_queue_t, dispatch_source_t>);
static_assert(!converts<dispatch_queue_t, dispatch_queue_main_t>);
static_assert(!converts<dispatch_semaphore_t, dispatch_group_t>);

static dispatch_queue_t main_queue = dispatch_get_main_queue();
static_assert(NSEC_PER_SEC == 1000000000 && QOS_CLASS_DEFAULT > QOS_CLASS_UTILITY);

int main() {
  dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, main_queue);
  dispatch_resume(source);
  dispatch_release(source);
  return 0;
}
