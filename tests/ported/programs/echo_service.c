/*
 * echo_service: a launch-on-demand daemon that sends every message back.
 *
 * MachServices: com.example.echo
 */
#include <assert.h>
#include <os/log.h>
#include <xpc/xpc.h>

static os_log_t echo_log;

static void echo_peer_event_handler(xpc_connection_t peer, xpc_object_t event)
{
    xpc_type_t type = xpc_get_type(event);
    if (type == XPC_TYPE_ERROR) {
        if (event == XPC_ERROR_CONNECTION_INVALID) {
            // The client process on the other end of the connection has either crashed or cancelled
            // the connection. After receiving this error, the connection is in an invalid state,
            // and there is no need to call xpc_connection_cancel(). Just tear down any associated
            // state.
            os_log_info(echo_log, "client %d went away", xpc_connection_get_pid(peer));
        } else if (event == XPC_ERROR_TERMINATION_IMMINENT) {
            // Handle per-connection termination cleanup.
            os_log_info(echo_log, "told to end");
        }
        return;
    }

    assert(type == XPC_TYPE_DICTIONARY);
    xpc_object_t reply = xpc_dictionary_create_reply(event);
    if (reply == NULL) {
        // The client does not want an answer: send the message back as one of our own.
        xpc_connection_send_message(peer, event);
        return;
    }
    xpc_dictionary_apply(event, ^bool(const char *key, xpc_object_t value) {
        xpc_dictionary_set_value(reply, key, value);
        return true;
    });
    xpc_dictionary_set_int64(reply, "service-pid", getpid());
    xpc_connection_send_message(peer, reply);
    xpc_release(reply);
}

static void echo_event_handler(xpc_object_t event)
{
    if (xpc_get_type(event) == XPC_TYPE_ERROR) {
        char *description = xpc_copy_description(event);
        os_log_error(echo_log, "listener: %{public}s", description);
        free(description);
        exit(EXIT_FAILURE);
    }
    xpc_connection_t peer = (xpc_connection_t)event;
    xpc_connection_set_event_handler(
        peer, ^(xpc_object_t message) { echo_peer_event_handler(peer, message); });
    // This will tell the connection to begin listening for events. If you have some other
    // initialization that must be done asynchronously, then you can defer this call until after
    // that initialization is done.
    xpc_connection_resume(peer);
}

int main(int argc __unused, const char *argv[] __unused)
{
    echo_log = os_log_create("com.example.echo", "service");
    xpc_connection_t listener = xpc_connection_create_mach_service(
        "com.example.echo", dispatch_get_main_queue(), XPC_CONNECTION_MACH_SERVICE_LISTENER);
    xpc_connection_set_event_handler(
        listener, ^(xpc_object_t event) { echo_event_handler(event); });
    xpc_connection_resume(listener);
    dispatch_main();
}
