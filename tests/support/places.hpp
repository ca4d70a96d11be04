#pragma once

// Where things of this build and its sources are; no '/' at the end. Paths stand in one object
// file, so that what other test programs are compiled from does not depend on where the project
// lies.
namespace xpc_testing {

extern const char* const source_folder;
extern const char* const data_folder;   ///< tests/data
extern const char* const units_folder;  ///< systemd units as they are installed
extern const char* const xpcd_program;
extern const char* const xpcctl_program;
extern const char* const upgrade_service_program;
extern const char* const odd_manager_program;

}  // namespace xpc_testing
