/*
 * session_client: talks to session_service: a call that waits, calls that do not, a session that
 * the service ends, one that it refuses, and a service that is not there.
 */
#include <xpc/xpc.h>
#include <xpc/session.h>

static xpc_object_t create_request(int64_t first, int64_t last)
{
    xpc_object_t numbers = xpc_array_create(NULL, 0);
    for (int64_t i = first; i <= last; i++) {
        xpc_array_set_int64(numbers, XPC_ARRAY_APPEND, i);
    }
    xpc_object_t request = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_value(request, "numbers", numbers);
    xpc_release(numbers);
    return request;
}

static void print_error(const char *what, xpc_rich_error_t error)
{
    char *description = xpc_rich_error_copy_description(error);
    printf("%s: %s\n", what, description ? description : "?");
    free(description);
}

int main(void)
{
    dispatch_queue_t queue = dispatch_queue_create("com.example.calculator.client", NULL);
    dispatch_semaphore_t over = dispatch_semaphore_create(0);
    xpc_rich_error_t error = NULL;

    xpc_session_t nobody = xpc_session_create_mach_service(
        "com.example.nobody", NULL, XPC_SESSION_CREATE_NONE, &error);
    printf("nobody: %s\n", nobody ? "there" : "not there");
    if (nobody == NULL) {
        xpc_release(error);
        error = NULL;
    }

    xpc_session_t session = xpc_session_create_mach_service(
        "com.example.calculator", queue, XPC_SESSION_CREATE_INACTIVE, &error);
    if (session == NULL) {
        print_error("session", error);
        return EXIT_FAILURE;
    }
    xpc_session_set_cancel_handler(session, ^(xpc_rich_error_t why) {
        print_error("over", why);
        dispatch_semaphore_signal(over);
    });
    if (!xpc_session_activate(session, &error)) {
        print_error("activate", error);
        return EXIT_FAILURE;
    }

    xpc_object_t request = create_request(1, 100);
    xpc_object_t reply = xpc_session_send_message_with_reply_sync(session, request, &error);
    xpc_release(request);
    if (reply == NULL) {
        print_error("sync", error);
        return EXIT_FAILURE;
    }
    printf("sync: %lld\n", (long long)xpc_dictionary_get_int64(reply, "sum"));
    xpc_release(reply);

    dispatch_group_t group = dispatch_group_create();
    __block int64_t total = 0;
    for (int64_t i = 1; i <= 10; i++) {
        request = create_request(i, i);
        dispatch_group_enter(group);
        xpc_session_send_message_with_reply_async(
            session, request, ^(xpc_object_t answer, xpc_rich_error_t problem) {
                if (answer) {
                    total += xpc_dictionary_get_int64(answer, "sum");
                } else {
                    print_error("async", problem);
                }
                dispatch_group_leave(group);
            });
        xpc_release(request);
    }
    dispatch_group_wait(group, DISPATCH_TIME_FOREVER);
    printf("async: %lld\n", (long long)total);

    // A message without reply makes the service end the session.
    xpc_object_t quit = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_bool(quit, "refuse the next one", true);
    error = xpc_session_send_message(session, quit);
    if (error) {
        print_error("send", error);
        return EXIT_FAILURE;
    }
    xpc_release(quit);
    dispatch_semaphore_wait(over, DISPATCH_TIME_FOREVER);
    xpc_session_cancel(session);
    xpc_release(session);

    session = xpc_session_create_mach_service(
        "com.example.calculator", queue, XPC_SESSION_CREATE_INACTIVE, &error);
    if (session == NULL) {
        print_error("session", error);
        return EXIT_FAILURE;
    }
    xpc_session_set_cancel_handler(session, ^(xpc_rich_error_t why) {
        print_error("refused", why);
        dispatch_semaphore_signal(over);
    });
    if (xpc_session_activate(session, &error)) {
        request = create_request(1, 2);
        reply = xpc_session_send_message_with_reply_sync(session, request, &error);
        xpc_release(request);
        printf("second: %s\n", reply ? "answered" : "no answer");
        if (reply) {
            xpc_release(reply);
        } else {
            xpc_release(error);
        }
    }
    dispatch_semaphore_wait(over, DISPATCH_TIME_FOREVER);
    xpc_session_cancel(session);
    xpc_release(session);
    dispatch_release(group);
    dispatch_release(over);
    dispatch_release(queue);
    return EXIT_SUCCESS;
}
