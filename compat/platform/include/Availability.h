#ifndef AVAILABILITY_H
#define AVAILABILITY_H

/// Marks of availability on declarations. They say nothing on Linux and expand to nothing; a
/// program that asks by number for which version it is built is told the newest.

#include <AvailabilityVersions.h>
#include <os/availability.h>

#ifndef __MAC_OS_X_VERSION_MIN_REQUIRED
#define __MAC_OS_X_VERSION_MIN_REQUIRED __MAC_26_0
#endif
#ifndef __MAC_OS_X_VERSION_MAX_ALLOWED
#define __MAC_OS_X_VERSION_MAX_ALLOWED __MAC_26_0
#endif

#ifndef __OSX_AVAILABLE_STARTING
#define __OSX_AVAILABLE_STARTING(osx, ios)
#endif
#ifndef __OSX_AVAILABLE_BUT_DEPRECATED
#define __OSX_AVAILABLE_BUT_DEPRECATED(osx, osx_until, ios, ios_until)
#endif
#ifndef __OSX_AVAILABLE_BUT_DEPRECATED_MSG
#define __OSX_AVAILABLE_BUT_DEPRECATED_MSG(osx, osx_until, ios, ios_until, message)
#endif
#ifndef __OSX_AVAILABLE
#define __OSX_AVAILABLE(version)
#endif
#ifndef __OSX_DEPRECATED
#define __OSX_DEPRECATED(start, until, message)
#endif
#ifndef __OSX_UNAVAILABLE
#define __OSX_UNAVAILABLE
#endif
#ifndef __OSX_EXTENSION_UNAVAILABLE
#define __OSX_EXTENSION_UNAVAILABLE(message)
#endif
#ifndef __OS_EXTENSION_UNAVAILABLE
#define __OS_EXTENSION_UNAVAILABLE(message)
#endif
#ifndef __IOS_AVAILABLE
#define __IOS_AVAILABLE(version)
#endif
#ifndef __IOS_DEPRECATED
#define __IOS_DEPRECATED(start, until, message)
#endif
#ifndef __IOS_UNAVAILABLE
#define __IOS_UNAVAILABLE
#endif
#ifndef __IOS_PROHIBITED
#define __IOS_PROHIBITED
#endif
#ifndef __IOS_EXTENSION_UNAVAILABLE
#define __IOS_EXTENSION_UNAVAILABLE(message)
#endif
#ifndef __TVOS_AVAILABLE
#define __TVOS_AVAILABLE(version)
#endif
#ifndef __TVOS_DEPRECATED
#define __TVOS_DEPRECATED(start, until, message)
#endif
#ifndef __TVOS_UNAVAILABLE
#define __TVOS_UNAVAILABLE
#endif
#ifndef __TVOS_PROHIBITED
#define __TVOS_PROHIBITED
#endif
#ifndef __WATCHOS_AVAILABLE
#define __WATCHOS_AVAILABLE(version)
#endif
#ifndef __WATCHOS_DEPRECATED
#define __WATCHOS_DEPRECATED(start, until, message)
#endif
#ifndef __WATCHOS_UNAVAILABLE
#define __WATCHOS_UNAVAILABLE
#endif
#ifndef __WATCHOS_PROHIBITED
#define __WATCHOS_PROHIBITED
#endif
#ifndef __API_AVAILABLE
#define __API_AVAILABLE(...)
#endif
#ifndef __API_DEPRECATED
#define __API_DEPRECATED(...)
#endif
#ifndef __API_DEPRECATED_WITH_REPLACEMENT
#define __API_DEPRECATED_WITH_REPLACEMENT(...)
#endif
#ifndef __API_UNAVAILABLE
#define __API_UNAVAILABLE(...)
#endif

#endif
