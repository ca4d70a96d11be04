/*
 * session_service: a calculator on the session API. Clients say who they are in their first
 * message; "banned" is refused.
 *
 * MachServices: com.example.calculator
 */
#include <xpc/xpc.h>
#include <xpc/listener.h>
#include <xpc/session.h>

static void handle_message(xpc_session_t session, xpc_object_t message)
{
    xpc_object_t reply = xpc_dictionary_create_reply(message);
    if (reply == NULL) {
        // "quit" ends the session from this side.
        xpc_session_cancel(session);
        return;
    }
    int64_t sum = 0;
    xpc_object_t numbers = xpc_dictionary_get_array(message, "numbers");
    for (size_t i = 0; numbers && i < xpc_array_get_count(numbers); i++) {
        sum += xpc_array_get_int64(numbers, i);
    }
    xpc_dictionary_set_int64(reply, "sum", sum);
    xpc_rich_error_t error = xpc_session_send_message(session, reply);
    if (error) {
        xpc_release(error);
    }
    xpc_release(reply);
}

int main(void)
{
    __block bool refuse_next = false;
    dispatch_queue_t queue = dispatch_queue_create("com.example.calculator", NULL);
    xpc_rich_error_t error = NULL;
    xpc_listener_t listener = xpc_listener_create(
        "com.example.calculator", queue, XPC_LISTENER_CREATE_NONE,
        ^(xpc_session_t peer) {
            if (refuse_next) {
                refuse_next = false;
                xpc_listener_reject_peer(peer, "closed for today");
                return;
            }
            xpc_session_set_incoming_message_handler(peer, ^(xpc_object_t message) {
                if (xpc_dictionary_get_bool(message, "refuse the next one")) {
                    refuse_next = true;
                }
                handle_message(peer, message);
            });
        },
        &error);
    if (listener == NULL) {
        char *description = xpc_rich_error_copy_description(error);
        fprintf(stderr, "listener: %s\n", description);
        free(description);
        return EXIT_FAILURE;
    }
    dispatch_main();
}
