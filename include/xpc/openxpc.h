#ifndef OPENXPC_H
#define OPENXPC_H

/// Everything that Apple's headers lack. Can be included without <xpc/xpc.h> and then brings no
/// dispatch queues, no POSIX headers and no blocks.

#include <xpc/openxpc/conversation.h>
#include <xpc/openxpc/dispatch.h>
#include <xpc/openxpc/error.h>
#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/object.h>
#include <xpc/openxpc/runtime.h>
#include <xpc/openxpc/service.h>
#include <xpc/openxpc/types.h>
#include <xpc/openxpc/value.h>

#endif
