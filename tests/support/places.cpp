#include "support/places.hpp"

namespace xpc_testing {

const char* const source_folder = OPENXPC_SOURCE;
const char* const data_folder = OPENXPC_SOURCE "/tests/data";
const char* const units_folder = OPENXPC_UNITS;
const char* const xpcd_program = OPENXPC_XPCD;
const char* const xpcctl_program = OPENXPC_XPCCTL;
const char* const upgrade_service_program = OPENXPC_UPGRADE_SERVICE;
const char* const odd_manager_program = OPENXPC_ODD_MANAGER;

}  // namespace xpc_testing
