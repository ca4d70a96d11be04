#pragma once

#include "connection/admission.hpp"

namespace openxpc::bootstrap {

/// The rule of a service that belongs to one process, an application: that process alone may
/// connect, nobody to whom an endpoint was passed on or who stole one. Null in a service that
/// belongs to nobody.
base::ref<connection::admission> application_rule();

}  // namespace openxpc::bootstrap
