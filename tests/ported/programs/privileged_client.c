/*
 * privileged_client: prints the log named on its command line, which it gets from privileged_helper
 * as an open file.
 */
#include <errno.h>
#include <xpc/xpc.h>

int main(int argc, const char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s log\n", argv[0]);
        return EXIT_FAILURE;
    }
    xpc_connection_t helper = xpc_connection_create("com.example.logreader", NULL);
    xpc_connection_set_event_handler(helper, ^(xpc_object_t event) {
        (void)event; // Errors come as replies, too.
    });
    xpc_connection_resume(helper);

    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_string(message, "log", argv[1]);
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(helper, message);
    xpc_release(message);

    int status = EXIT_FAILURE;
    if (xpc_get_type(reply) == XPC_TYPE_ERROR) {
        char *description = xpc_copy_description(reply);
        fprintf(stderr, "%s\n", description);
        free(description);
    } else {
        int fd = xpc_dictionary_dup_fd(reply, "file");
        if (fd >= 0) {
            char buffer[4096];
            ssize_t length;
            while ((length = read(fd, buffer, sizeof(buffer))) > 0) {
                fwrite(buffer, 1, (size_t)length, stdout);
            }
            close(fd);
            status = EXIT_SUCCESS;
        } else {
            printf("refused: %s\n", strerror((int)xpc_dictionary_get_int64(reply, "error")));
        }
    }
    xpc_release(reply);
    xpc_connection_cancel(helper);
    xpc_release(helper);
    return status;
}
