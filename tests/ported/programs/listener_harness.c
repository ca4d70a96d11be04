/*
 * listener_harness: tests a service's code in one process, through an anonymous listener.
 *
 * The service under test is a counter: "add" changes it, "get" answers with it.
 */
#include <os/lock.h>
#include <xpc/xpc.h>

static os_unfair_lock counter_lock = OS_UNFAIR_LOCK_INIT;
static int64_t counter;
static int failures;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static void counter_handle_message(xpc_connection_t peer, xpc_object_t message)
{
    os_unfair_lock_lock(&counter_lock);
    counter += xpc_dictionary_get_int64(message, "add");
    int64_t value = counter;
    os_unfair_lock_unlock(&counter_lock);

    xpc_object_t reply = xpc_dictionary_create_reply(message);
    if (reply) {
        xpc_dictionary_set_int64(reply, "value", value);
        xpc_connection_send_message(peer, reply);
        xpc_release(reply);
    }
}

static xpc_connection_t create_service(dispatch_semaphore_t peer_gone)
{
    xpc_connection_t listener = xpc_connection_create(NULL, NULL);
    xpc_connection_set_event_handler(listener, ^(xpc_object_t event) {
        if (xpc_get_type(event) != XPC_TYPE_CONNECTION) {
            EXPECT(event == XPC_ERROR_CONNECTION_INVALID);
            return;
        }
        xpc_connection_t peer = (xpc_connection_t)event;
        EXPECT(xpc_connection_get_pid(peer) == getpid());
        EXPECT(xpc_connection_get_euid(peer) == geteuid());
        EXPECT(xpc_connection_get_name(peer) == NULL);
        xpc_connection_set_event_handler(peer, ^(xpc_object_t message) {
            if (xpc_get_type(message) == XPC_TYPE_DICTIONARY) {
                counter_handle_message(peer, message);
            } else {
                EXPECT(message == XPC_ERROR_CONNECTION_INVALID);
                dispatch_semaphore_signal(peer_gone);
            }
        });
        xpc_connection_activate(peer);
    });
    xpc_connection_activate(listener);
    return listener;
}

static int64_t ask(xpc_connection_t connection, int64_t add)
{
    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_int64(message, "add", add);
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(connection, message);
    EXPECT(xpc_get_type(reply) == XPC_TYPE_DICTIONARY);
    int64_t value = xpc_dictionary_get_int64(reply, "value");
    xpc_release(reply);
    xpc_release(message);
    return value;
}

int main(void)
{
    dispatch_semaphore_t peer_gone = dispatch_semaphore_create(0);
    xpc_connection_t listener = create_service(peer_gone);
    xpc_endpoint_t endpoint = xpc_endpoint_create(listener);

    // One client after the other, then many at once.
    enum { kClients = 8, kRounds = 50 };
    xpc_connection_t *clients = calloc(kClients, sizeof(*clients));
    dispatch_semaphore_t client_gone = dispatch_semaphore_create(0);
    for (int i = 0; i < kClients; i++) {
        clients[i] = xpc_connection_create_from_endpoint(endpoint);
        xpc_connection_set_event_handler(clients[i], ^(xpc_object_t event) {
            EXPECT(event == XPC_ERROR_CONNECTION_INVALID);
            dispatch_semaphore_signal(client_gone);
        });
        xpc_connection_activate(clients[i]);
        EXPECT(ask(clients[i], 1) == i + 1);
    }
    dispatch_apply(kClients, DISPATCH_APPLY_AUTO, ^(size_t i) {
        for (int round = 0; round < kRounds; round++) {
            ask(clients[i], 1);
        }
    });
    EXPECT(ask(clients[0], 0) == kClients + kClients * kRounds);

    // Everything that was sent before a barrier has left when it runs.
    dispatch_semaphore_t sent = dispatch_semaphore_create(0);
    for (int i = 0; i < 100; i++) {
        xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
        xpc_dictionary_set_int64(message, "add", 1000);
        xpc_connection_send_message(clients[0], message);
        xpc_release(message);
    }
    xpc_connection_send_barrier(clients[0], ^{ dispatch_semaphore_signal(sent); });
    dispatch_semaphore_wait(sent, DISPATCH_TIME_FOREVER);
    EXPECT(ask(clients[0], 0) == kClients + kClients * kRounds + 100000);

    for (int i = 0; i < kClients; i++) {
        xpc_connection_cancel(clients[i]);
        dispatch_semaphore_wait(client_gone, DISPATCH_TIME_FOREVER);
        dispatch_semaphore_wait(peer_gone, DISPATCH_TIME_FOREVER);
        xpc_release(clients[i]);
    }
    free(clients);
    xpc_connection_cancel(listener);
    xpc_release(endpoint);
    xpc_release(listener);
    dispatch_release(sent);
    dispatch_release(client_gone);
    dispatch_release(peer_gone);
    printf(failures ? "FAIL\n" : "PASS\n");
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
