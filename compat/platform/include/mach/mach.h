#ifndef MACH_MACH_H
#define MACH_MACH_H

/// The part of Mach that means something here: types, return values, clocks. There are no ports,
/// tasks or messages.

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/mach_time.h>
#include <mach/port.h>

#endif
