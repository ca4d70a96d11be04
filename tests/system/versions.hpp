#pragma once

#include <string>

#include "system/manager.hpp"

/// A job whose program the tests replace by other versions (upgrade_service.cpp).
namespace system_test {

/// Makes `path` a version of the service by renaming a new file over it, as a package manager does.
/// @param behaviour  good; crash, exit or hang at its start; child: leaves one that keeps its
/// sockets
void install_version(const std::string& path, int version, const std::string& behaviour = "good");

/// Asks for an upgrade.
answer upgrade(const manager& xpcd, const std::string& label, bool force = false);

}  // namespace system_test
