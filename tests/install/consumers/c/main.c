// A program as a user of the installed C library writes it, with blocks: values, then an echo over
// an anonymous listener.
#include <xpc/xpc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "consumer: this does not hold: %s\n", what);
  exit(1);
}

static xpc_object_t make_message(void) {
  xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
  xpc_dictionary_set_string(message, "text", "hello");
  xpc_dictionary_set_int64(message, "count", 3);
  return message;
}

static void check_values(void) {
  xpc_object_t message = make_message();
  __block size_t seen = 0;
  bool all = xpc_dictionary_apply(message, ^bool(const char* key, xpc_object_t value) {
    seen += strlen(key) + (xpc_get_type(value) == XPC_TYPE_INT64);
    return true;
  });
  check(all && seen == strlen("text") + strlen("count") + 1, "a block sees each key once");
  xpc_object_t copy = xpc_copy(message);
  check(xpc_equal(copy, message), "a copy equals its original");
  xpc_release(copy);
  xpc_release(message);
}

static void check_echo(void) {
  xpc_connection_t listener = xpc_connection_create(NULL, NULL);
  xpc_connection_set_event_handler(listener, ^(xpc_object_t peer) {
    if (xpc_get_type(peer) != XPC_TYPE_CONNECTION) return;
    xpc_connection_set_event_handler((xpc_connection_t)peer, ^(xpc_object_t event) {
      xpc_object_t reply =
          xpc_get_type(event) == XPC_TYPE_DICTIONARY ? xpc_dictionary_create_reply(event) : NULL;
      if (!reply) return;
      xpc_dictionary_set_string(reply, "text", xpc_dictionary_get_string(event, "text"));
      xpc_connection_send_message((xpc_connection_t)peer, reply);
      xpc_release(reply);
    });
    xpc_connection_activate((xpc_connection_t)peer);
  });
  xpc_connection_activate(listener);

  xpc_endpoint_t door = xpc_endpoint_create(listener);
  xpc_connection_t client = xpc_connection_create_from_endpoint(door);
  xpc_connection_set_event_handler(client, ^(xpc_object_t event) {
    (void)event;
  });
  xpc_connection_activate(client);
  xpc_object_t message = make_message();
  xpc_object_t reply = xpc_connection_send_message_with_reply_sync(client, message);
  check(xpc_get_type(reply) == XPC_TYPE_DICTIONARY, "the echo answers");
  check(strcmp(xpc_dictionary_get_string(reply, "text"), "hello") == 0, "with the same text");
  xpc_release(reply);
  xpc_release(message);
  xpc_connection_cancel(client);
  xpc_connection_cancel(listener);
  xpc_release(client);
  xpc_release(door);
  xpc_release(listener);
}

int main(void) {
  check_values();
  check_echo();
  puts("hello");
  return 0;
}
