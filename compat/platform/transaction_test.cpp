#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <mach/mach_time.h>
#include <os/transaction_private.h>

#include <cstdlib>

// The count itself is the library's: ending more than was begun is misuse (rule 174), so whether
// there is one can be told.

namespace {

TEST(CompatTransaction, KnowsItsTextAndWhenItWasMade) {
  const uint64_t before = mach_absolute_time();
  os_transaction_t one = os_transaction_create("org.example.work");
  EXPECT_GE(os_transaction_get_timestamp(one), before);
  EXPECT_LE(os_transaction_get_timestamp(one), mach_absolute_time());
  EXPECT_STREQ(os_transaction_get_description(one), "org.example.work");
  os_release(one);
}

TEST(CompatTransactionDeathTest, R172_CountsUntilItsLastReference) {
  os_transaction_t one = os_transaction_create("work");
  EXPECT_EQ(os_retain(one), one);
  os_release(one);
  EXPECT_EXIT(
      {
        xpc_transaction_end();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_DEATH(
      {
        os_release(one);
        xpc_transaction_end();
      },
      "XPC API Misuse: xpc_transaction_end: there is no transaction");
  os_release(one);
}

}  // namespace
