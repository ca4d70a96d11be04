#ifndef OPENXPC_LAUNCH_H
#define OPENXPC_LAUNCH_H

/// What jobs call besides XPC: fetching the sockets that the service manager opened for them, and
/// the names of the keys of a job description. Source compatible with Apple's <launch.h>; manual
/// page launch_activate_socket(3). The launch_data_ functions are kept for sources that have them.

#include <xpc/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

OPENXPC_BEGIN_DECLS
XPC_ASSUME_NONNULL_BEGIN

typedef unsigned int mach_port_t;

/// Fetches the sockets of one entry of Sockets in this job's description.
/// @param name  the key of the entry. Under a systemd socket unit: its FileDescriptorName.
/// @param fds   receives a malloc'ed array of descriptors, in the order in which they were opened;
///   array and descriptors are the caller's. They are close-on-exec. Untouched on failure.
/// @param count receives how many; an entry may have several. Untouched on failure.
/// Errors: returns 0 or an errno value. ENOENT: no such entry. ESRCH: the process was not started
/// with sockets. EALREADY: fetched before. ENOMEM.
/// Threads: any.
/// Semantics: rule 247. A name among MachServices is not an entry of Sockets: ENOENT.
XPC_EXPORT XPC_NONNULL_ALL XPC_WARN_RESULT int launch_activate_socket(const char* name,
                                                                      int* _Nullable* _Nonnull fds,
                                                                      size_t* count);

/// Commands of launch_msg(), which is not there (below).
#define LAUNCH_KEY_SUBMITJOB "SubmitJob"
#define LAUNCH_KEY_REMOVEJOB "RemoveJob"
#define LAUNCH_KEY_STARTJOB "StartJob"
#define LAUNCH_KEY_STOPJOB "StopJob"
#define LAUNCH_KEY_GETJOB "GetJob"
#define LAUNCH_KEY_GETJOBS "GetJobs"
#define LAUNCH_KEY_CHECKIN "CheckIn"

/// Keys of a job description; what each does stands in xpcd.plist(5).
#define LAUNCH_JOBKEY_LABEL "Label"
#define LAUNCH_JOBKEY_DISABLED "Disabled"
#define LAUNCH_JOBKEY_USERNAME "UserName"
#define LAUNCH_JOBKEY_GROUPNAME "GroupName"
#define LAUNCH_JOBKEY_TIMEOUT "TimeOut"
#define LAUNCH_JOBKEY_EXITTIMEOUT "ExitTimeOut"
#define LAUNCH_JOBKEY_INITGROUPS "InitGroups"
#define LAUNCH_JOBKEY_SOCKETS "Sockets"
#define LAUNCH_JOBKEY_MACHSERVICES "MachServices"
#define LAUNCH_JOBKEY_MACHSERVICELOOKUPPOLICIES "MachServiceLookupPolicies"
#define LAUNCH_JOBKEY_INETDCOMPATIBILITY "inetdCompatibility"
#define LAUNCH_JOBKEY_ENABLEGLOBBING "EnableGlobbing"
#define LAUNCH_JOBKEY_PROGRAMARGUMENTS "ProgramArguments"
#define LAUNCH_JOBKEY_PROGRAM "Program"
#define LAUNCH_JOBKEY_ONDEMAND "OnDemand"
#define LAUNCH_JOBKEY_KEEPALIVE "KeepAlive"
#define LAUNCH_JOBKEY_LIMITLOADTOHOSTS "LimitLoadToHosts"
#define LAUNCH_JOBKEY_LIMITLOADFROMHOSTS "LimitLoadFromHosts"
#define LAUNCH_JOBKEY_LIMITLOADTOSESSIONTYPE "LimitLoadToSessionType"
#define LAUNCH_JOBKEY_LIMITLOADTOHARDWARE "LimitLoadToHardware"
#define LAUNCH_JOBKEY_LIMITLOADFROMHARDWARE "LimitLoadFromHardware"
#define LAUNCH_JOBKEY_RUNATLOAD "RunAtLoad"
#define LAUNCH_JOBKEY_ROOTDIRECTORY "RootDirectory"
#define LAUNCH_JOBKEY_WORKINGDIRECTORY "WorkingDirectory"
#define LAUNCH_JOBKEY_ENVIRONMENTVARIABLES "EnvironmentVariables"
#define LAUNCH_JOBKEY_USERENVIRONMENTVARIABLES "UserEnvironmentVariables"
#define LAUNCH_JOBKEY_UMASK "Umask"
#define LAUNCH_JOBKEY_NICE "Nice"
#define LAUNCH_JOBKEY_HOPEFULLYEXITSFIRST "HopefullyExitsFirst"
#define LAUNCH_JOBKEY_HOPEFULLYEXITSLAST "HopefullyExitsLast"
#define LAUNCH_JOBKEY_LOWPRIORITYIO "LowPriorityIO"
#define LAUNCH_JOBKEY_LOWPRIORITYBACKGROUNDIO "LowPriorityBackgroundIO"
#define LAUNCH_JOBKEY_MATERIALIZEDATALESSFILES "MaterializeDatalessFiles"
#define LAUNCH_JOBKEY_SESSIONCREATE "SessionCreate"
#define LAUNCH_JOBKEY_STARTONMOUNT "StartOnMount"
#define LAUNCH_JOBKEY_SOFTRESOURCELIMITS "SoftResourceLimits"
#define LAUNCH_JOBKEY_HARDRESOURCELIMITS "HardResourceLimits"
#define LAUNCH_JOBKEY_STANDARDINPATH "StandardInPath"
#define LAUNCH_JOBKEY_STANDARDOUTPATH "StandardOutPath"
#define LAUNCH_JOBKEY_STANDARDERRORPATH "StandardErrorPath"
#define LAUNCH_JOBKEY_DEBUG "Debug"
#define LAUNCH_JOBKEY_WAITFORDEBUGGER "WaitForDebugger"
#define LAUNCH_JOBKEY_QUEUEDIRECTORIES "QueueDirectories"
#define LAUNCH_JOBKEY_WATCHPATHS "WatchPaths"
#define LAUNCH_JOBKEY_STARTINTERVAL "StartInterval"
#define LAUNCH_JOBKEY_STARTCALENDARINTERVAL "StartCalendarInterval"
#define LAUNCH_JOBKEY_BONJOURFDS "BonjourFDs"
#define LAUNCH_JOBKEY_LASTEXITSTATUS "LastExitStatus"
#define LAUNCH_JOBKEY_PID "PID"
#define LAUNCH_JOBKEY_THROTTLEINTERVAL "ThrottleInterval"
#define LAUNCH_JOBKEY_LAUNCHONLYONCE "LaunchOnlyOnce"
#define LAUNCH_JOBKEY_ABANDONPROCESSGROUP "AbandonProcessGroup"
#define LAUNCH_JOBKEY_IGNOREPROCESSGROUPATSHUTDOWN "IgnoreProcessGroupAtShutdown"
#define LAUNCH_JOBKEY_LEGACYTIMERS "LegacyTimers"
#define LAUNCH_JOBKEY_ENABLEPRESSUREDEXIT "EnablePressuredExit"
#define LAUNCH_JOBKEY_ENABLETRANSACTIONS "EnableTransactions"
#define LAUNCH_JOBKEY_DRAINMESSAGESONFAILEDINIT "DrainMessagesOnFailedInit"
#define LAUNCH_JOBKEY_POLICIES "Policies"
#define LAUNCH_JOBKEY_BUNDLEPROGRAM "BundleProgram"
#define LAUNCH_JOBKEY_ASSOCIATEDBUNDLEIDENTIFIERS "AssociatedBundleIdentifiers"
#define LAUNCH_JOBKEY_SPAWNCONSTRAINT "SpawnConstraint"
#define LAUNCH_JOBKEY_PUBLISHESEVENTS "PublishesEvents"
#define LAUNCH_JOBKEY_LAUNCHEVENTS "LaunchEvents"
#define LAUNCH_JOBKEY_PROCESSTYPE "ProcessType"

/// In an entry of Sockets.
#define LAUNCH_JOBSOCKETKEY_TYPE "SockType"
#define LAUNCH_JOBSOCKETKEY_PASSIVE "SockPassive"
#define LAUNCH_JOBSOCKETKEY_BONJOUR "Bonjour"
#define LAUNCH_JOBSOCKETKEY_SECUREWITHKEY "SecureSocketWithKey"
#define LAUNCH_JOBSOCKETKEY_PATHNAME "SockPathName"
#define LAUNCH_JOBSOCKETKEY_PATHMODE "SockPathMode"
#define LAUNCH_JOBSOCKETKEY_PATHOWNER "SockPathOwner"
#define LAUNCH_JOBSOCKETKEY_PATHGROUP "SockPathGroup"
#define LAUNCH_JOBSOCKETKEY_NODENAME "SockNodeName"
#define LAUNCH_JOBSOCKETKEY_SERVICENAME "SockServiceName"
#define LAUNCH_JOBSOCKETKEY_FAMILY "SockFamily"
#define LAUNCH_JOBSOCKETKEY_PROTOCOL "SockProtocol"
#define LAUNCH_JOBSOCKETKEY_MULTICASTGROUP "MulticastGroup"

/// In an entry of MachServices.
#define LAUNCH_JOBKEY_MACH_RESETATCLOSE "ResetAtClose"
#define LAUNCH_JOBKEY_MACH_HIDEUNTILCHECKIN "HideUntilCheckIn"

/// In KeepAlive.
#define LAUNCH_JOBKEY_KEEPALIVE_SUCCESSFULEXIT "SuccessfulExit"
#define LAUNCH_JOBKEY_KEEPALIVE_NETWORKSTATE "NetworkState"
#define LAUNCH_JOBKEY_KEEPALIVE_PATHSTATE "PathState"
#define LAUNCH_JOBKEY_KEEPALIVE_OTHERJOBACTIVE "OtherJobActive"
#define LAUNCH_JOBKEY_KEEPALIVE_OTHERJOBENABLED "OtherJobEnabled"
#define LAUNCH_JOBKEY_KEEPALIVE_AFTERINITIALDEMAND "AfterInitialDemand"
#define LAUNCH_JOBKEY_KEEPALIVE_CRASHED "Crashed"

/// In StartCalendarInterval.
#define LAUNCH_JOBKEY_CAL_MINUTE "Minute"
#define LAUNCH_JOBKEY_CAL_HOUR "Hour"
#define LAUNCH_JOBKEY_CAL_DAY "Day"
#define LAUNCH_JOBKEY_CAL_WEEKDAY "Weekday"
#define LAUNCH_JOBKEY_CAL_MONTH "Month"

/// In SoftResourceLimits and HardResourceLimits.
#define LAUNCH_JOBKEY_RESOURCELIMIT_CORE "Core"
#define LAUNCH_JOBKEY_RESOURCELIMIT_CPU "CPU"
#define LAUNCH_JOBKEY_RESOURCELIMIT_DATA "Data"
#define LAUNCH_JOBKEY_RESOURCELIMIT_FSIZE "FileSize"
#define LAUNCH_JOBKEY_RESOURCELIMIT_MEMLOCK "MemoryLock"
#define LAUNCH_JOBKEY_RESOURCELIMIT_NOFILE "NumberOfFiles"
#define LAUNCH_JOBKEY_RESOURCELIMIT_NPROC "NumberOfProcesses"
#define LAUNCH_JOBKEY_RESOURCELIMIT_RSS "ResidentSetSize"
#define LAUNCH_JOBKEY_RESOURCELIMIT_STACK "Stack"

/// In inetdCompatibility.
#define LAUNCH_JOBINETDCOMPATIBILITY_WAIT "Wait"
#define LAUNCH_JOBINETDCOMPATIBILITY_INSTANCES "Instances"

/// In Disabled, when it is a dictionary.
#define LAUNCH_JOBKEY_DISABLED_MACHINETYPE "MachineType"
#define LAUNCH_JOBKEY_DISABLED_MODELNAME "ModelName"

/// Values of ProcessType.
#define LAUNCH_KEY_PROCESSTYPE_APP "App"
#define LAUNCH_KEY_PROCESSTYPE_STANDARD "Standard"
#define LAUNCH_KEY_PROCESSTYPE_BACKGROUND "Background"
#define LAUNCH_KEY_PROCESSTYPE_INTERACTIVE "Interactive"
#define LAUNCH_KEY_PROCESSTYPE_ADAPTIVE "Adaptive"

/// In PublishesEvents and Policies.
#define LAUNCH_KEY_PUBLISHESEVENTS_DOMAININTERNAL "DomainInternal"
#define LAUNCH_JOBPOLICY_DENYCREATINGOTHERJOBS "DenyCreatingOtherJobs"

/// Named by Apple, without a meaning here.
#define LAUNCH_JOBKEY_DATASTORES "Datastores"
#define LAUNCH_JOBKEY_DATASTORES_SIZELIMIT "SizeLimit"

// ---- Values of the old interface
// A tree of values as launchd once took and gave them, for sources that still build such trees.
// They are values of this process only: nothing sends them. A new program uses XPC objects
// (xpc_object(3)). No function keeps a pointer that it is given unless it says so. NULL is misuse.
// A getter given a value of another kind returns 0, false or NULL; a setter returns false and
// changes nothing. Threads: one at a time for each tree.

#if defined(OPENXPC_BUILDING)
#define OPENXPC_LAUNCH_OLD
#else
#define OPENXPC_LAUNCH_OLD XPC_DEPRECATED("use XPC objects and launch_activate_socket()")
#endif

typedef struct _launch_data* launch_data_t;

/// What a value is.
typedef enum {
  LAUNCH_DATA_DICTIONARY = 1,
  LAUNCH_DATA_ARRAY = 2,
  LAUNCH_DATA_FD = 3,
  LAUNCH_DATA_INTEGER = 4,
  LAUNCH_DATA_REAL = 5,
  LAUNCH_DATA_BOOL = 6,
  LAUNCH_DATA_STRING = 7,
  LAUNCH_DATA_OPAQUE = 8,
  LAUNCH_DATA_ERRNO = 9,
  LAUNCH_DATA_MACHPORT = 10
} launch_data_type_t;

/// Called with each entry of a dictionary; value and key are lent.
typedef void (*launch_data_dict_iterator_t)(const launch_data_t value, const char* key,
                                            void* _Nullable context);

/// A value of that kind: empty, 0, false; a descriptor is -1. A number that is no kind is misuse.
/// @return owned; launch_data_free().
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t
launch_data_alloc(launch_data_type_t type);
/// A deep copy, owned by the caller. Descriptors are copied as numbers.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL XPC_WARN_RESULT launch_data_t
launch_data_copy(launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL launch_data_type_t
launch_data_get_type(const launch_data_t value);
/// Frees a value and all that is in it; descriptors stay open.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL void launch_data_free(launch_data_t value);

/// Puts a value under a key, which is copied; the dictionary owns the value then, and frees the one
/// that it replaces. @return true; false, the value still the caller's, when it is no dictionary.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_dict_insert(
    launch_data_t dictionary, const launch_data_t value, const char* key);
/// Lends the value of a key; NULL when there is none.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL launch_data_t _Nullable launch_data_dict_lookup(
    const launch_data_t dictionary, const char* key);
/// Removes and frees the value of a key. @return false when there was none.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_dict_remove(launch_data_t dictionary,
                                                                           const char* key);
/// Calls `iterator` with each entry, in the order in which the keys were first put in. It must not
/// change the dictionary.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 XPC_NONNULL2 void launch_data_dict_iterate(
    const launch_data_t dictionary, launch_data_dict_iterator_t iterator, void* _Nullable context);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL size_t
launch_data_dict_get_count(const launch_data_t dictionary);

/// Puts a value at an index, which the array owns then; frees the one that it replaces, and grows
/// the array with nothing in between. @return true; false, the value still the caller's, when it is
/// no array. An index beyond 2^24 is misuse.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_array_set_index(
    launch_data_t array, const launch_data_t value, size_t index);
/// Lends an element; NULL where nothing is.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL
    launch_data_t _Nullable launch_data_array_get_index(const launch_data_t array, size_t index);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL size_t
launch_data_array_get_count(const launch_data_t array);

/// New values, owned by the caller. Text and bytes are copied; a descriptor stays the caller's to
/// close; a port is a number without a meaning on Linux.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t launch_data_new_fd(int borrowed_fd);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t
launch_data_new_machport(mach_port_t port);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t
launch_data_new_integer(long long value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t launch_data_new_bool(bool value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT launch_data_t launch_data_new_real(double value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL XPC_WARN_RESULT launch_data_t
launch_data_new_string(const char* text);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL XPC_WARN_RESULT launch_data_t
launch_data_new_opaque(const void* bytes, size_t size);

/// Change a value of that kind. @return false for another kind.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 bool launch_data_set_fd(launch_data_t value,
                                                                   int borrowed_fd);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 bool launch_data_set_machport(launch_data_t value,
                                                                         mach_port_t port);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 bool launch_data_set_integer(launch_data_t value,
                                                                        long long number);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 bool launch_data_set_bool(launch_data_t value, bool yes);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL1 bool launch_data_set_real(launch_data_t value,
                                                                     double number);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_set_string(launch_data_t value,
                                                                          const char* text);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_set_opaque(launch_data_t value,
                                                                          const void* bytes,
                                                                          size_t size);

/// Read a value of that kind. Descriptors (-1 for another kind), text and bytes are lent, until the
/// value is changed or freed.
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL int launch_data_get_fd(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL mach_port_t
launch_data_get_machport(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL long long launch_data_get_integer(
    const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL bool launch_data_get_bool(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL double launch_data_get_real(
    const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD
    XPC_NONNULL_ALL const char* _Nullable launch_data_get_string(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD
    XPC_NONNULL_ALL void* _Nullable launch_data_get_opaque(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL size_t
launch_data_get_opaque_size(const launch_data_t value);
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL int launch_data_get_errno(const launch_data_t value);

/// There is no launchd to talk to in this way: -1, errno ENOTSUP. Jobs are managed by xpcctl(1).
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_WARN_RESULT int launch_get_fd(void);
/// The same: NULL, errno ENOTSUP. Instead of "CheckIn" use launch_activate_socket().
XPC_EXPORT OPENXPC_LAUNCH_OLD XPC_NONNULL_ALL XPC_WARN_RESULT
    launch_data_t _Nullable launch_msg(const launch_data_t request);

XPC_ASSUME_NONNULL_END
OPENXPC_END_DECLS

#endif
