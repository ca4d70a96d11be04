#include "high/high.hpp"
#include "low/good.hpp"
