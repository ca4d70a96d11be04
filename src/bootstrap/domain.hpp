#pragma once

#include "base/fd.hpp"
#include "connection/failure.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::bootstrap {

/// Which domain a program asks for.
struct domain_choice {
  enum class kind : std::uint8_t { automatic, user, system };
  kind which = kind::automatic;
  /// A domain named by its directory; then `which` does not count.
  std::string directory;
  /// The domain of that user alone, with kind::user; no value: this process's user.
  std::optional<std::uint32_t> uid = {};
  /// Services beside this program's own file come first.
  bool own_services_first = false;
};

/// The directories to look a name up in, in order: own domain, then system. The environment
/// (OPENXPC_DOMAIN, XDG_RUNTIME_DIR) counts only outside set-uid programs, and a directory from it
/// only when it belongs to this user and nobody else may write there (threat T53). Empty with `why`
/// when this user has no domain at all.
std::vector<std::string> domain_directories(const domain_choice& choice,
                                            connection::error_ref& why);

/// The directory of a domain that is running, opened without following links. Empty with `why`:
/// no_domain (its remedy says how to start a service manager) or denied.
base::fd open_domain(const std::string& directory, connection::error_ref& why);

/// The directory of a domain that nobody serves, if a socket has that name there. Empty otherwise.
base::fd open_directory_with(const std::string& directory, const std::string& name);

/// The control socket's file in a domain's directory: there is a service manager if and only if it
/// exists.
inline constexpr const char* control_name = ".control";

}  // namespace openxpc::bootstrap
