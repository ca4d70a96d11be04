/*
 * shmem_service: an image filter that works in the client's memory: it inverts the pixels in place.
 *
 * MachServices: com.example.filter
 */
#include <xpc/xpc.h>

static bool invert(xpc_object_t message, xpc_object_t reply)
{
    xpc_object_t image = xpc_dictionary_get_value(message, "image");
    uint64_t pixels = xpc_dictionary_get_uint64(message, "pixels");
    if (image == NULL || xpc_get_type(image) != XPC_TYPE_SHMEM) {
        return false;
    }
    void *region = NULL;
    size_t length = xpc_shmem_map(image, &region);
    if (length == 0) {
        return false;
    }
    if (pixels <= length) {
        unsigned char *at = region;
        for (uint64_t i = 0; i < pixels; i++) {
            at[i] = (unsigned char)~at[i];
        }
        xpc_dictionary_set_uint64(reply, "length", length);
    }
    munmap(region, length);
    return pixels <= length;
}

int main(void)
{
    xpc_connection_t listener = xpc_connection_create_mach_service(
        "com.example.filter", NULL, XPC_CONNECTION_MACH_SERVICE_LISTENER);
    xpc_connection_set_event_handler(listener, ^(xpc_object_t peer) {
        if (xpc_get_type(peer) != XPC_TYPE_CONNECTION) {
            return;
        }
        xpc_connection_set_event_handler((xpc_connection_t)peer, ^(xpc_object_t message) {
            if (xpc_get_type(message) != XPC_TYPE_DICTIONARY) {
                return;
            }
            xpc_object_t reply = xpc_dictionary_create_reply(message);
            if (reply) {
                xpc_dictionary_set_bool(reply, "ok", invert(message, reply));
                xpc_connection_send_message((xpc_connection_t)peer, reply);
                xpc_release(reply);
            }
        });
        xpc_connection_resume((xpc_connection_t)peer);
    });
    xpc_connection_resume(listener);
    dispatch_main();
}
