#pragma once
#include <vector>

#include "low/other.hpp"
