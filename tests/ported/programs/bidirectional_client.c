/*
 * bidirectional_client: asks for two downloads, answers the service's calls, and is told at its own
 * anonymous listener when they are done.
 */
#include <xpc/xpc.h>

static void send_command(
    xpc_connection_t connection, const char *command, const char *file, xpc_endpoint_t observer)
{
    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_string(message, "command", command);
    if (file) {
        xpc_dictionary_set_string(message, "file", file);
    }
    if (observer) {
        xpc_dictionary_set_value(message, "observer", observer);
    }
    xpc_connection_send_message(connection, message);
    xpc_release(message);
}

int main(void)
{
    dispatch_queue_t queue = dispatch_queue_create("com.example.downloads.client", NULL);

    xpc_connection_t observer = xpc_connection_create(NULL, queue);
    __block int done = 0;
    xpc_connection_set_event_handler(observer, ^(xpc_object_t event) {
        if (xpc_get_type(event) != XPC_TYPE_CONNECTION) {
            return;
        }
        xpc_connection_t service = (xpc_connection_t)event;
        xpc_connection_set_target_queue(service, queue);
        xpc_connection_set_event_handler(service, ^(xpc_object_t message) {
            if (xpc_get_type(message) != XPC_TYPE_DICTIONARY) {
                return;
            }
            printf(
                "done after %lld steps\n", (long long)xpc_dictionary_get_int64(message, "steps"));
            if (++done == 2) {
                exit(EXIT_SUCCESS);
            }
        });
        xpc_connection_resume(service);
    });
    xpc_connection_resume(observer);

    xpc_connection_t connection
        = xpc_connection_create_mach_service("com.example.downloads", queue, 0);
    xpc_connection_set_event_handler(connection, ^(xpc_object_t event) {
        if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) {
            fprintf(stderr, "the service went away\n");
            exit(EXIT_FAILURE);
        }
        const char *file = xpc_dictionary_get_string(event, "file");
        int64_t percent = xpc_dictionary_get_int64(event, "percent");
        printf("%s %lld%%\n", file, (long long)percent);
        xpc_object_t reply = xpc_dictionary_create_reply(event);
        xpc_dictionary_set_bool(reply, "stop", strcmp(file, "huge") == 0 && percent >= 50);
        xpc_connection_send_message(connection, reply);
        xpc_release(reply);
    });
    xpc_connection_resume(connection);

    xpc_endpoint_t endpoint = xpc_endpoint_create(observer);
    send_command(connection, "observe", NULL, endpoint);
    xpc_release(endpoint);
    send_command(connection, "download", "small", NULL);
    send_command(connection, "download", "huge", NULL);
    dispatch_main();
}
