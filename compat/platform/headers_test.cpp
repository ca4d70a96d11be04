#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <Availability.h>
#include <AvailabilityMacros.h>
#include <TargetConditionals.h>
#include <errno.h>
#include <libkern/OSAtomic.h>
#include <libkern/OSByteOrder.h>
#include <libproc.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <malloc/malloc.h>
#include <os/activity.h>
#include <os/base.h>
#include <os/overflow.h>
#include <os/signpost.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>

// What the headers without a library behind them do. That each compiles alone, in C and C++, is
// checked where all public headers are.

namespace {

TEST(CompatHeaders, ThisIsLinuxAndEverythingIsAvailable) {
  EXPECT_EQ(TARGET_OS_LINUX, 1);
  EXPECT_EQ(TARGET_OS_MAC + TARGET_OS_OSX + TARGET_OS_IPHONE + TARGET_OS_SIMULATOR, 0);
  EXPECT_EQ(TARGET_RT_LITTLE_ENDIAN, std::endian::native == std::endian::little ? 1 : 0);
  EXPECT_GE(__MAC_OS_X_VERSION_MIN_REQUIRED, __MAC_15_0);
  EXPECT_GE(MAC_OS_X_VERSION_MIN_REQUIRED, MAC_OS_X_VERSION_10_15);
  EXPECT_EQ(__MAC_10_12, 101200);
  EXPECT_EQ(__IPHONE_13_4, 130400);
}

TEST(CompatHeaders, MachClocksCountNanoseconds) {
  mach_timebase_info_data_t base;
  ASSERT_EQ(mach_timebase_info(&base), KERN_SUCCESS);
  EXPECT_EQ(base.numer, base.denom);
  const uint64_t before = mach_absolute_time();
  ASSERT_EQ(mach_wait_until(before + 1000000), KERN_SUCCESS);
  EXPECT_GE(mach_absolute_time() - before, 1000000u);
  EXPECT_GE(mach_continuous_time(), before);
}

TEST(CompatHeaders, ByteOrder) {
  EXPECT_EQ(OSSwapInt16(0x0102), 0x0201);
  EXPECT_EQ(OSSwapInt32(0x01020304u), 0x04030201u);
  const unsigned char big[] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t value;
  memcpy(&value, big, sizeof value);
  EXPECT_EQ(OSSwapBigToHostInt64(value), 0x0102030405060708u);
  EXPECT_EQ(OSSwapLittleToHostInt64(OSSwapHostToLittleInt64(7u)), 7u);
}

TEST(CompatHeaders, AtomicsGiveTheNewValue) {
  volatile int32_t small = 1;
  volatile int64_t large = 5;
  EXPECT_EQ(OSAtomicIncrement32(&small), 2);
  EXPECT_EQ(OSAtomicDecrement32Barrier(&small), 1);
  EXPECT_EQ(OSAtomicAdd64(10, &large), 15);
  EXPECT_TRUE(OSAtomicCompareAndSwap64Barrier(15, 20, &large));
  EXPECT_FALSE(OSAtomicCompareAndSwap64(15, 21, &large));
  EXPECT_EQ(large, 20);
}

TEST(CompatHeaders, OverflowIsTold) {
  int sum = 0;
  EXPECT_FALSE(os_add_overflow(1, 2, &sum));
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(os_add_overflow(INT_MAX, 1, &sum));
  EXPECT_TRUE(os_mul_overflow(INT_MAX, 2, &sum));
  EXPECT_TRUE(os_sub_overflow(INT_MIN, 1, &sum));
}

TEST(CompatHeaders, StringsAreCutAndEnded) {
  char to[4];
  EXPECT_EQ(strlcpy(to, "abcdef", sizeof to), 6u);
  EXPECT_STREQ(to, "abc");
  EXPECT_EQ(strlcpy(to, "a", sizeof to), 1u);
  EXPECT_EQ(strlcat(to, "bcd", sizeof to), 4u);
  EXPECT_STREQ(to, "abc");
  char full[2] = {'x', 'y'};
  EXPECT_EQ(strlcat(full, "z", sizeof full), 3u);
  EXPECT_EQ(strlcpy(full, "q", 0), 1u);
  EXPECT_EQ(full[0], 'x');
}

TEST(CompatHeaders, ProgramKnowsItsNameAndPath) {
  char path[PATH_MAX];
  uint32_t small = 1, size = sizeof path;
  EXPECT_EQ(_NSGetExecutablePath(path, &small), -1);
  ASSERT_EQ(_NSGetExecutablePath(path, &size), 0);
  EXPECT_EQ(strlen(path) + 1, small);
  EXPECT_EQ(std::string(path).substr(std::string(path).rfind('/') + 1), "compat_test");
  const char* before = getprogname();
  setprogname("/somewhere/else");
  EXPECT_STREQ(getprogname(), "else");
  setprogname(before);
}

TEST(CompatHeaders, ProcessesHaveAPathAndAName) {
  char path[PROC_PIDPATHINFO_MAXSIZE], own[PATH_MAX], name[64];
  uint32_t size = sizeof own;
  ASSERT_EQ(_NSGetExecutablePath(own, &size), 0);
  EXPECT_EQ(proc_pidpath(getpid(), path, sizeof path), static_cast<int>(strlen(own)));
  EXPECT_STREQ(path, own);
  EXPECT_EQ(proc_pidpath(getpid(), path, 4), 0);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(proc_name(getpid(), name, sizeof name), 11);
  EXPECT_STREQ(name, "compat_test");
  EXPECT_EQ(proc_name(getpid(), name, 4), 3);
  EXPECT_STREQ(name, "com");
  // No process has this number.
  EXPECT_EQ(proc_pidpath(INT_MAX, path, sizeof path), 0);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_EQ(proc_name(INT_MAX, name, sizeof name), 0);
  EXPECT_EQ(errno, ESRCH);
}

TEST(CompatHeaders, ActivitiesRunWhatTheyAreGivenAndSignpostsAreNothing) {
  int ran = 0;
  auto count = [](void* at) { ++*static_cast<int*>(at); };
  os_activity_apply_f(OS_ACTIVITY_NONE, &ran, count);
  os_activity_initiate_f("work", OS_ACTIVITY_FLAG_DEFAULT, &ran, count);
  EXPECT_EQ(ran, 2);
  os_activity_t activity =
      os_activity_create("more", OS_ACTIVITY_CURRENT, OS_ACTIVITY_FLAG_DETACHED);
  EXPECT_EQ(os_activity_get_identifier(activity, nullptr), 0u);
  EXPECT_FALSE(os_signpost_enabled(OS_LOG_DEFAULT));
  os_signpost_interval_begin(OS_LOG_DEFAULT, OS_SIGNPOST_ID_EXCLUSIVE, "name", "%d", ++ran);
  EXPECT_EQ(ran, 2);
}

TEST(CompatHeaders, HeapTellsSizes) {
  void* at = malloc(100);
  EXPECT_GE(malloc_size(at), 100u);
  EXPECT_EQ(malloc_good_size(17), 32u);
  free(at);
}

}  // namespace
