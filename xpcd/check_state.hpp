#pragma once

#include "options.hpp"

namespace openxpc {

/// --check-state: whether this program could take over what another xpcd has, the state of
/// --handover-fd or the run state in the domain's directory. Says so, changes nothing. @return the
/// exit status
int check_state(const options& wanted);

}  // namespace openxpc
