#ifndef SYS_QOS_H
#define SYS_QOS_H

/// Service classes of threads. Threads have none here: every one is of the default class.

#include <dispatch/dispatch.h>

/// The class of the calling thread: QOS_CLASS_DEFAULT.
static __inline__ dispatch_qos_class_t qos_class_self(void) { return QOS_CLASS_DEFAULT; }
/// The class of the main thread: QOS_CLASS_DEFAULT.
static __inline__ dispatch_qos_class_t qos_class_main(void) { return QOS_CLASS_DEFAULT; }

#endif
