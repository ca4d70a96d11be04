/*
 * echo_client: sends its arguments to echo_service, one request each, and prints the answers in the
 * order in which they come; then one message without a reply handler, which comes back as an event.
 */
#include <xpc/xpc.h>

int main(int argc, const char *argv[])
{
    dispatch_queue_t queue
        = dispatch_queue_create("com.example.echo.client", DISPATCH_QUEUE_SERIAL);
    xpc_connection_t connection = xpc_connection_create_mach_service("com.example.echo", queue, 0);
    dispatch_semaphore_t echoed = dispatch_semaphore_create(0);

    xpc_connection_set_event_handler(connection, ^(xpc_object_t event) {
        xpc_type_t type = xpc_get_type(event);
        if (type == XPC_TYPE_DICTIONARY) {
            printf("event: %s\n", xpc_dictionary_get_string(event, "text"));
            dispatch_semaphore_signal(echoed);
        } else if (event == XPC_ERROR_CONNECTION_INTERRUPTED) {
            fprintf(stderr, "interrupted\n");
        } else if (event == XPC_ERROR_CONNECTION_INVALID) {
            fprintf(stderr, "invalid\n");
        }
    });
    xpc_connection_resume(connection);

    dispatch_group_t replies = dispatch_group_create();
    for (int i = 1; i < argc; i++) {
        xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
        xpc_dictionary_set_string(message, "text", argv[i]);
        dispatch_group_enter(replies);
        xpc_connection_send_message_with_reply(connection, message, queue, ^(xpc_object_t reply) {
            if (xpc_get_type(reply) == XPC_TYPE_DICTIONARY) {
                printf("reply: %s\n", xpc_dictionary_get_string(reply, "text"));
            } else {
                printf("error: %s\n", xpc_dictionary_get_string(reply, XPC_ERROR_KEY_DESCRIPTION));
            }
            dispatch_group_leave(replies);
        });
        xpc_release(message);
    }
    dispatch_group_wait(replies, DISPATCH_TIME_FOREVER);

    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_string(message, "text", "no reply wanted");
    xpc_connection_send_message(connection, message);
    xpc_release(message);
    dispatch_semaphore_wait(echoed, DISPATCH_TIME_FOREVER);

    xpc_connection_cancel(connection);
    xpc_release(connection);
    dispatch_release(replies);
    dispatch_release(echoed);
    dispatch_release(queue);
    return EXIT_SUCCESS;
}
