#pragma once

// Rules about handlers, queues and blocks in C with blocks (handlers.c), for handlers_test.cpp.
// Each returns 0, or the line of the check that failed.
#ifdef __cplusplus
extern "C" {
#endif
int cancelled_listener_is_told_on_its_queue(void);
int handler_on_a_live_connection_replaces_the_old(void);
int block_is_copied_and_dropped_once(void);
int block_lives_until_the_final_event_was_delivered(void);
int null_queue_is_a_concurrent_default(void);
int peers_may_be_configured_before_they_are_resumed(void);
int ignored_signal_reaches_its_source(void);
#ifdef __cplusplus
}
#endif
