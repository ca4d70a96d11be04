#ifndef MACH_PORT_H
#define MACH_PORT_H

/// Names of ports. Linux has no ports: a variable of this type holds MACH_PORT_NULL.

typedef unsigned int mach_port_t;
typedef unsigned int mach_port_name_t;

#define MACH_PORT_NULL 0
#define MACH_PORT_DEAD ((mach_port_t)~0u)
#define MACH_PORT_VALID(name) ((name) != MACH_PORT_NULL && (name) != MACH_PORT_DEAD)

#endif
