/*
 * bidirectional_service: a download manager that calls its client back, on the same connection with
 * its progress, and through the client's own endpoint when everything is done.
 *
 * MachServices: com.example.downloads
 */
#include <xpc/xpc.h>

struct client {
    xpc_connection_t connection;
    xpc_connection_t observer;
    int64_t steps;
};

static void client_destroy(void *context)
{
    struct client *client = context;
    if (client->observer) {
        xpc_connection_cancel(client->observer);
        xpc_release(client->observer);
    }
    free(client);
}

static void download(struct client *client, const char *file)
{
    // The client answers each of these; it may also say that it has had enough.
    for (int64_t percent = 0; percent <= 100; percent += 25) {
        xpc_object_t progress = xpc_dictionary_create(NULL, NULL, 0);
        xpc_dictionary_set_string(progress, "file", file);
        xpc_dictionary_set_int64(progress, "percent", percent);
        xpc_object_t answer
            = xpc_connection_send_message_with_reply_sync(client->connection, progress);
        bool stop
            = xpc_get_type(answer) == XPC_TYPE_ERROR || xpc_dictionary_get_bool(answer, "stop");
        xpc_release(answer);
        xpc_release(progress);
        client->steps++;
        if (stop) {
            break;
        }
    }
}

static void handle_message(struct client *client, xpc_object_t message)
{
    const char *command = xpc_dictionary_get_string(message, "command");
    if (strcmp(command, "observe") == 0) {
        client->observer = xpc_dictionary_create_connection(message, "observer");
        xpc_connection_set_event_handler(client->observer, ^(xpc_object_t event) {
            (void)event; // The client is gone; its connection tells us, too.
        });
        xpc_connection_resume(client->observer);
    } else if (strcmp(command, "download") == 0) {
        download(client, xpc_dictionary_get_string(message, "file"));
        if (client->observer) {
            xpc_object_t done = xpc_dictionary_create(NULL, NULL, 0);
            xpc_dictionary_set_int64(done, "steps", client->steps);
            xpc_connection_send_message(client->observer, done);
            xpc_release(done);
        }
    }
}

static void new_client(xpc_connection_t peer)
{
    struct client *client = calloc(1, sizeof(*client));
    client->connection = peer;
    xpc_connection_set_context(peer, client);
    xpc_connection_set_finalizer_f(peer, client_destroy);
    xpc_connection_set_event_handler(peer, ^(xpc_object_t event) {
        if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) {
            handle_message(xpc_connection_get_context(peer), event);
        }
    });
    xpc_connection_resume(peer);
}

int main(void)
{
    xpc_connection_t listener = xpc_connection_create_mach_service(
        "com.example.downloads", NULL, XPC_CONNECTION_MACH_SERVICE_LISTENER);
    xpc_connection_set_event_handler(listener, ^(xpc_object_t event) {
        if (xpc_get_type(event) == XPC_TYPE_CONNECTION) {
            new_client((xpc_connection_t)event);
        } else {
            exit(EXIT_FAILURE);
        }
    });
    xpc_connection_resume(listener);
    dispatch_main();
}
