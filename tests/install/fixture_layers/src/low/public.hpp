#pragma once
#include <xpc/xpc.h>
