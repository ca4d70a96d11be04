#include "dispatch/handlers.h"

#include <gtest/gtest.h>

// Rules about handlers, queues and blocks, with blocks that clang made.

namespace {

TEST(Semantics, R324_CancelledListenerIsToldOnItsQueueAndNotInsideTheCall) {
  EXPECT_EQ(cancelled_listener_is_told_on_its_queue(), 0);
}
TEST(Semantics, R326_HandlerSetOnALiveConnectionReplacesTheOld) {
  EXPECT_EQ(handler_on_a_live_connection_replaces_the_old(), 0);
}
TEST(Semantics, R326_BlockMadeByHandIsCopiedAndDroppedOnce) {
  EXPECT_EQ(block_is_copied_and_dropped_once(), 0);
}
TEST(Semantics, R327_BlockLivesUntilTheFinalEventWasDelivered) {
  EXPECT_EQ(block_lives_until_the_final_event_was_delivered(), 0);
}
TEST(Semantics, R329_NullQueueIsConcurrentAndNotTheMainQueue) {
  EXPECT_EQ(null_queue_is_a_concurrent_default(), 0);
}
TEST(Semantics, R330_PeersMayBeConfiguredBeforeTheyAreResumed) {
  EXPECT_EQ(peers_may_be_configured_before_they_are_resumed(), 0);
}
TEST(Semantics, R351_IgnoredSignalReachesItsSource) {
  EXPECT_EQ(ignored_signal_reaches_its_source(), 0);
}

}  // namespace
