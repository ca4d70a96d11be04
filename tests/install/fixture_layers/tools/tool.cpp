#include <xpc/xpc.h>
#include <xpc/xpc.hpp>

#include "high/high.hpp"
