#include <json.hpp>

#include "support/child.hpp"
