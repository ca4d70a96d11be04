#ifndef PTHREAD_QOS_H
#define PTHREAD_QOS_H

/// Service classes of threads: checked and otherwise ignored, since thread priorities stay as they
/// are.

#include <errno.h>
#include <pthread.h>
#include <sys/qos.h>

/// @return 0, or EINVAL for a class or a relative priority that does not exist.
static __inline__ int pthread_set_qos_class_self_np(qos_class_t qos_class, int relative_priority) {
  switch (qos_class) {
    case QOS_CLASS_USER_INTERACTIVE:
    case QOS_CLASS_USER_INITIATED:
    case QOS_CLASS_DEFAULT:
    case QOS_CLASS_UTILITY:
    case QOS_CLASS_BACKGROUND:
      break;
    default:
      return EINVAL;
  }
  return relative_priority > 0 || relative_priority < QOS_MIN_RELATIVE_PRIORITY ? EINVAL : 0;
}
/// The same for threads that an attribute is for.
static __inline__ int pthread_attr_set_qos_class_np(pthread_attr_t* attribute,
                                                    qos_class_t qos_class, int relative_priority) {
  (void)attribute;
  return pthread_set_qos_class_self_np(qos_class, relative_priority);
}
/// The class of a thread: the default one. @param relative_priority receives 0. Both may be null.
static __inline__ int pthread_get_qos_class_np(pthread_t thread, qos_class_t* qos_class,
                                               int* relative_priority) {
  (void)thread;
  if (qos_class) *qos_class = QOS_CLASS_DEFAULT;
  if (relative_priority) *relative_priority = 0;
  return 0;
}

#endif
