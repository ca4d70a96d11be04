#include <xpc/xpc.hpp>
