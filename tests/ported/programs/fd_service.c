/*
 * fd_service: a generator that writes into descriptors which its clients send: the client owns the
 * pipe, the service fills it at the pace of the reader, by a write source.
 *
 * MachServices: com.example.generator
 */
#include <errno.h>
#include <signal.h>
#include <xpc/xpc.h>

enum { kLineSize = 32 };

static void generate(int fd, uint64_t lines)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    dispatch_queue_t queue = dispatch_queue_create("com.example.generator.pipe", NULL);
    dispatch_source_t source
        = dispatch_source_create(DISPATCH_SOURCE_TYPE_WRITE, (uintptr_t)fd, 0, queue);
    __block uint64_t next = 1;
    __block size_t pending = 0;
    char *line = malloc(kLineSize);
    dispatch_source_set_event_handler(source, ^{
        for (;;) {
            if (pending == 0) {
                if (next > lines) {
                    dispatch_source_cancel(source);
                    return;
                }
                pending
                    = (size_t)snprintf(line, kLineSize, "line %llu\n", (unsigned long long)next++);
            }
            ssize_t written = write(fd, line, pending);
            if (written < 0) {
                if (errno != EAGAIN) {
                    dispatch_source_cancel(source);
                }
                return;
            }
            memmove(line, line + written, pending - (size_t)written);
            pending -= (size_t)written;
        }
    });
    dispatch_source_set_cancel_handler(source, ^{
        close(fd);
        free(line);
        dispatch_release(source);
        dispatch_release(queue);
    });
    dispatch_resume(source);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    xpc_connection_t listener = xpc_connection_create_mach_service(
        "com.example.generator", NULL, XPC_CONNECTION_MACH_SERVICE_LISTENER);
    xpc_connection_set_event_handler(listener, ^(xpc_object_t peer) {
        if (xpc_get_type(peer) != XPC_TYPE_CONNECTION) {
            return;
        }
        xpc_connection_set_event_handler((xpc_connection_t)peer, ^(xpc_object_t message) {
            if (xpc_get_type(message) != XPC_TYPE_DICTIONARY) {
                return;
            }
            int fd = xpc_dictionary_dup_fd(message, "output");
            if (fd >= 0) {
                generate(fd, xpc_dictionary_get_uint64(message, "lines"));
            }
        });
        xpc_connection_resume((xpc_connection_t)peer);
    });
    xpc_connection_resume(listener);
    dispatch_main();
}
