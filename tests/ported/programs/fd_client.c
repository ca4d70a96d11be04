/*
 * fd_client: lets fd_service write into a pipe and counts what comes out of it, by a read source.
 */
#include <xpc/xpc.h>

int main(void)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return EXIT_FAILURE;
    }
    int input = ends[0];
    xpc_connection_t service = xpc_connection_create_mach_service("com.example.generator", NULL, 0);
    xpc_connection_set_event_handler(service, ^(xpc_object_t event) { (void)event; });
    xpc_connection_resume(service);

    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_uint64(message, "lines", 20000);
    xpc_object_t output = xpc_fd_create(ends[1]);
    xpc_dictionary_set_value(message, "output", output);
    xpc_release(output);
    // The message has a descriptor of its own: ours can go at once, else the pipe would never end.
    close(ends[1]);
    xpc_connection_send_message(service, message);
    xpc_release(message);

    dispatch_queue_t queue = dispatch_queue_create("com.example.generator.reader", NULL);
    dispatch_source_t source
        = dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, (uintptr_t)input, 0, queue);
    __block uint64_t lines = 0, bytes = 0;
    dispatch_source_set_event_handler(source, ^{
        char buffer[4096];
        ssize_t length = read(input, buffer, sizeof(buffer));
        if (length <= 0) {
            dispatch_source_cancel(source);
            return;
        }
        bytes += (uint64_t)length;
        for (ssize_t i = 0; i < length; i++) {
            lines += buffer[i] == '\n';
        }
    });
    dispatch_source_set_cancel_handler(source, ^{
        close(input);
        printf("%llu lines, %llu bytes\n", (unsigned long long)lines, (unsigned long long)bytes);
        exit(EXIT_SUCCESS);
    });
    dispatch_resume(source);
    dispatch_main();
}
