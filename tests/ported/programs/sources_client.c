/*
 * sources_client: makes each source of sources_daemon fire and asks until it has: the daemon
 * answers with what its sources saw so far.
 */
#include <signal.h>
#include <xpc/xpc.h>

static xpc_connection_t daemon_connection;

static xpc_object_t ask(bool work, const char *data)
{
    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_bool(message, "work", work);
    if (data) {
        xpc_dictionary_set_data(message, "data", data, strlen(data));
    }
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(daemon_connection, message);
    xpc_release(message);
    if (xpc_get_type(reply) == XPC_TYPE_ERROR) {
        fprintf(stderr, "%s\n", xpc_dictionary_get_string(reply, XPC_ERROR_KEY_DESCRIPTION));
        exit(EXIT_FAILURE);
    }
    return reply;
}

static void wait_until(bool (^holds)(xpc_object_t status))
{
    for (bool done = false; !done;) {
        xpc_object_t status = ask(false, NULL);
        done = holds(status);
        xpc_release(status);
    }
}

int main(void)
{
    daemon_connection = xpc_connection_create_mach_service("com.example.sources", NULL, 0);
    dispatch_semaphore_t interrupted = dispatch_semaphore_create(0);
    xpc_connection_set_event_handler(daemon_connection, ^(xpc_object_t event) {
        if (event == XPC_ERROR_CONNECTION_INTERRUPTED) {
            dispatch_semaphore_signal(interrupted);
        }
    });
    xpc_connection_resume(daemon_connection);

    xpc_object_t status = ask(true, "twelve bytes");
    pid_t pid = (pid_t)xpc_dictionary_get_int64(status, "pid");
    xpc_release(status);

    wait_until(^bool(xpc_object_t now) { return xpc_dictionary_get_uint64(now, "work") == 1500; });
    printf("data\n");
    wait_until(^bool(xpc_object_t now) { return xpc_dictionary_get_int64(now, "bytes") == 12; });
    printf("read\n");
    wait_until(^bool(xpc_object_t now) { return xpc_dictionary_get_bool(now, "ticking"); });
    printf("timer\n");
    wait_until(^bool(xpc_object_t now) { return xpc_dictionary_get_int64(now, "worker") == 7; });
    printf("proc\n");
    for (int64_t i = 1; i <= 3; i++) {
        kill(pid, SIGHUP);
        wait_until(
            ^bool(xpc_object_t now) { return xpc_dictionary_get_int64(now, "reloads") == i; });
    }
    printf("signal\n");

    kill(pid, SIGTERM);
    dispatch_semaphore_wait(interrupted, DISPATCH_TIME_FOREVER);
    printf("ended\n");
    xpc_connection_cancel(daemon_connection);
    xpc_release(daemon_connection);
    dispatch_release(interrupted);
    return EXIT_SUCCESS;
}
