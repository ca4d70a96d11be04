#pragma once
#include "low/good.hpp"
