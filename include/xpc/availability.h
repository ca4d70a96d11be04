#ifndef XPC_AVAILABILITY_H
#define XPC_AVAILABILITY_H

/// Availability marks for sources that carry them. Every function that these headers declare is
/// there; the marks say nothing on Linux and expand to nothing, unless the program brought its own.

#ifndef API_AVAILABLE
#define API_AVAILABLE(...)
#endif
#ifndef API_DEPRECATED
#define API_DEPRECATED(...)
#endif
#ifndef API_DEPRECATED_WITH_REPLACEMENT
#define API_DEPRECATED_WITH_REPLACEMENT(...)
#endif
#ifndef API_UNAVAILABLE
#define API_UNAVAILABLE(...)
#endif
#ifndef __OSX_AVAILABLE
#define __OSX_AVAILABLE(version)
#endif
#ifndef __OSX_AVAILABLE_STARTING
#define __OSX_AVAILABLE_STARTING(osx, ios)
#endif
#ifndef __IOS_AVAILABLE
#define __IOS_AVAILABLE(version)
#endif
#ifndef __TVOS_AVAILABLE
#define __TVOS_AVAILABLE(version)
#endif
#ifndef __WATCHOS_AVAILABLE
#define __WATCHOS_AVAILABLE(version)
#endif

#ifndef IPHONE_SIMULATOR_HOST_MIN_VERSION_REQUIRED
#define IPHONE_SIMULATOR_HOST_MIN_VERSION_REQUIRED 999999
#endif

#endif
