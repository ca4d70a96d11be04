#ifndef SEMANTICS_BLOCKS_H
#define SEMANTICS_BLOCKS_H

// Programs of blocks.c, which a compiler with blocks builds, for the tests, which are built by one
// without.
#include <xpc/openxpc/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

int blocks_count_entries(xpc_object_t dictionary);
long blocks_sum_elements(xpc_object_t array);
/// Calls until the block returned false at `index`; negative when apply returned true.
int blocks_calls_until_stopped_at(xpc_object_t array, int index);
bool blocks_read_while_walking(xpc_object_t dictionary, xpc_object_t array);
void blocks_change_dictionary_while_walking(xpc_object_t dictionary);
void blocks_change_array_while_walking(xpc_object_t array);

#ifdef __cplusplus
}
#endif

#endif
