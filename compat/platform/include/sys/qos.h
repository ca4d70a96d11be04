#ifndef SYS_QOS_H
#define SYS_QOS_H

/// Service classes of threads. Threads have none here: every one is of the default class. The same
/// definitions as in <dispatch/dispatch.h>; a libdispatch that asks for this header finds it.

#ifndef QOS_MIN_RELATIVE_PRIORITY
typedef unsigned int qos_class_t;
enum {
  QOS_CLASS_USER_INTERACTIVE = 0x21,
  QOS_CLASS_USER_INITIATED = 0x19,
  QOS_CLASS_DEFAULT = 0x15,
  QOS_CLASS_UTILITY = 0x11,
  QOS_CLASS_BACKGROUND = 0x09,
  QOS_CLASS_UNSPECIFIED = 0x00
};
#define QOS_MIN_RELATIVE_PRIORITY (-15)
#endif

/// The class of the calling thread: QOS_CLASS_DEFAULT.
static __inline__ qos_class_t qos_class_self(void) { return QOS_CLASS_DEFAULT; }
/// The class of the main thread: QOS_CLASS_DEFAULT.
static __inline__ qos_class_t qos_class_main(void) { return QOS_CLASS_DEFAULT; }

#endif
