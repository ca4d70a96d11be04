#ifndef OS_LOG_H
#define OS_LOG_H

/// Log messages, into the journal where systemd-journald runs and by syslog(3) elsewhere. Link
/// libxpc-compat; manual page os_log(3).
///
/// Every function may be called from any thread, also between fork and exec; none changes errno.

#include <os/availability.h>
#include <os/base.h>

#define OS_LOG_AVAILABLE 1

/// Where messages come from: a subsystem and a category. Never destroyed, not counted.
typedef struct os_log_s* os_log_t;
OS_EXPORT struct os_log_s _os_log_default;
OS_EXPORT struct os_log_s _os_log_disabled;

/// Messages without subsystem and category.
#define OS_LOG_DEFAULT (&_os_log_default)
/// Messages that go nowhere.
#define OS_LOG_DISABLED (&_os_log_disabled)
#define OS_LOG_CATEGORY_POINTS_OF_INTEREST "PointsOfInterest"
#define OS_LOG_CATEGORY_DYNAMIC_TRACING "DynamicTracing"
#define OS_LOG_CATEGORY_DYNAMIC_STACK_TRACING "DynamicStackTracing"

/// How important a message is: LOG_NOTICE, LOG_INFO, LOG_DEBUG, LOG_ERR and LOG_CRIT of syslog(3).
OS_ENUM(os_log_type, uint8_t, OS_LOG_TYPE_DEFAULT = 0x00, OS_LOG_TYPE_INFO = 0x01,
        OS_LOG_TYPE_DEBUG = 0x02, OS_LOG_TYPE_ERROR = 0x10, OS_LOG_TYPE_FAULT = 0x11);

/// The log of a subsystem and a category, the same one each time. @param subsystem usually a name
/// like "org.example.daemon". @param category a part of it. Both are copied; neither may be null.
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT os_log_t os_log_create(const char* subsystem,
                                                               const char* category);

/// Whether messages of that type go anywhere. Debug messages do when the environment says
/// OS_ACTIVITY_MODE=debug; OS_ACTIVITY_MODE=disable leaves nothing but errors and faults.
OS_EXPORT OS_NONNULL_ALL OS_WARN_RESULT bool os_log_type_enabled(os_log_t log, os_log_type_t type);
#define os_log_info_enabled(log) os_log_type_enabled((log), OS_LOG_TYPE_INFO)
#define os_log_debug_enabled(log) os_log_type_enabled((log), OS_LOG_TYPE_DEBUG)

#if defined(__clang__)
#define OPENXPC_OS_LOG_FORMAT __attribute__((format(os_log, 3, 4)))
#else
#define OPENXPC_OS_LOG_FORMAT
#endif
/// What the macros below call. @param format as for printf(3), and braces after the percent sign
/// may hold words between commas: private and sensitive print "<private>" instead of the value,
/// public prints it, as no word does; errno, darwin.errno, bool, BOOL, time_t, uuid_t (with %.16P)
/// print what such a value means. %m is errno. The message is cut at 16 KiB.
OS_EXPORT OS_NONNULL1 OPENXPC_OS_LOG_FORMAT void openxpc_os_log(os_log_t log, os_log_type_t type,
                                                                const char* format, ...);

/// Logs a message: (log, [type,] format, ...). The arguments are evaluated only when messages of
/// that type go anywhere.
#define os_log_with_type(log, type, ...)                        \
  __extension__({                                               \
    os_log_t openxpc_log_ = (log);                              \
    os_log_type_t openxpc_type_ = (type);                       \
    if (os_log_type_enabled(openxpc_log_, openxpc_type_))       \
      openxpc_os_log(openxpc_log_, openxpc_type_, __VA_ARGS__); \
  })
#define os_log(log, ...) os_log_with_type(log, OS_LOG_TYPE_DEFAULT, __VA_ARGS__)
#define os_log_info(log, ...) os_log_with_type(log, OS_LOG_TYPE_INFO, __VA_ARGS__)
#define os_log_debug(log, ...) os_log_with_type(log, OS_LOG_TYPE_DEBUG, __VA_ARGS__)
#define os_log_error(log, ...) os_log_with_type(log, OS_LOG_TYPE_ERROR, __VA_ARGS__)
#define os_log_fault(log, ...) os_log_with_type(log, OS_LOG_TYPE_FAULT, __VA_ARGS__)

#endif
