// Mach rights, which there are none of.
#include "capi/handle.hpp"
#include "object/object.hpp"

#include <xpc/xpc.h>

using namespace openxpc;

void xpc_dictionary_set_mach_send(xpc_object_t xdict, const char* key, mach_port_t) {
  // What stood there before must not be taken for the right that the program meant to send.
  capi::dictionary_to_change(xdict, __func__).remove(capi::need_key(key, __func__));
}

mach_port_t xpc_dictionary_copy_mach_send(xpc_object_t, const char* key) {
  (void)capi::need_key(key, __func__);
  return 0;
}
