#pragma once
#include <json.hpp>
#include <xpc/xpc.h>

#include "low/good.hpp"
