/*
 * shmem_client: shares an image with shmem_service and looks at what became of it.
 */
#include <xpc/xpc.h>

int main(void)
{
    enum { kPixels = 5000 };
    unsigned char *image
        = mmap(NULL, kPixels, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED) {
        return EXIT_FAILURE;
    }
    for (int i = 0; i < kPixels; i++) {
        image[i] = (unsigned char)i;
    }
    xpc_object_t shmem = xpc_shmem_create(image, kPixels);

    xpc_connection_t filter = xpc_connection_create_mach_service("com.example.filter", NULL, 0);
    xpc_connection_set_event_handler(filter, ^(xpc_object_t event) { (void)event; });
    xpc_connection_resume(filter);

    xpc_object_t message = xpc_dictionary_create(NULL, NULL, 0);
    xpc_dictionary_set_value(message, "image", shmem);
    xpc_dictionary_set_uint64(message, "pixels", kPixels);
    xpc_object_t reply = xpc_connection_send_message_with_reply_sync(filter, message);
    bool ok = xpc_get_type(reply) == XPC_TYPE_DICTIONARY && xpc_dictionary_get_bool(reply, "ok");
    uint64_t length = ok ? xpc_dictionary_get_uint64(reply, "length") : 0;

    int inverted = 0;
    for (int i = 0; i < kPixels; i++) {
        inverted += image[i] == (unsigned char)~i;
    }
    printf("%d of %d pixels, %s pages\n", inverted, kPixels,
        length != 0 && length % (uint64_t)getpagesize() == 0 ? "whole" : "no");

    xpc_release(reply);
    xpc_release(message);
    xpc_release(shmem);
    munmap(image, kPixels);
    xpc_connection_cancel(filter);
    xpc_release(filter);
    return inverted == kPixels ? EXIT_SUCCESS : EXIT_FAILURE;
}
