#include "semantics/blocks.h"

#include <xpc/xpc.h>

int blocks_count_entries(xpc_object_t dictionary) {
  __block int count = 0;
  bool whole = xpc_dictionary_apply(dictionary, ^bool(const char* key, xpc_object_t value) {
    count += key && value;
    return true;
  });
  return whole ? count : -1;
}

long blocks_sum_elements(xpc_object_t array) {
  __block long sum = 0;
  xpc_array_apply(array, ^bool(size_t index, xpc_object_t value) {
    sum += (long)xpc_int64_get_value(value);
    return index < 100;
  });
  return sum;
}

int blocks_calls_until_stopped_at(xpc_object_t array, int stop) {
  __block int calls = 0;
  bool whole = xpc_array_apply(array, ^bool(size_t index, xpc_object_t value) {
    (void)value;
    ++calls;
    return (int)index != stop;
  });
  return whole ? -calls : calls;
}

bool blocks_read_while_walking(xpc_object_t dictionary, xpc_object_t array) {
  __block bool same = true;
  xpc_dictionary_apply(dictionary, ^bool(const char* key, xpc_object_t value) {
    same = same && xpc_dictionary_get_value(dictionary, key) == value;
    return true;
  });
  xpc_array_apply(array, ^bool(size_t index, xpc_object_t value) {
    same = same && xpc_array_get_value(array, index) == value;
    return true;
  });
  return same;
}

void blocks_change_dictionary_while_walking(xpc_object_t dictionary) {
  xpc_dictionary_apply(dictionary, ^bool(const char* key, xpc_object_t value) {
    (void)value;
    xpc_dictionary_set_int64(dictionary, key, 1);
    return true;
  });
}

void blocks_change_array_while_walking(xpc_object_t array) {
  xpc_array_apply(array, ^bool(size_t index, xpc_object_t value) {
    (void)value;
    xpc_array_set_int64(array, index, 1);
    return true;
  });
}
