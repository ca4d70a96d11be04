#include "bootstrap/inherited.hpp"
#include "bootstrap/service_link.hpp"
#include "capi/handle.hpp"

#include <launch.h>

#include <cerrno>
#include <cstdlib>

using openxpc::capi::need_pointer;

int launch_activate_socket(const char* name, int** fds, size_t* count) {
  need_pointer(name, "name", __func__);
  need_pointer(fds, "fds", __func__);
  need_pointer(count, "count", __func__);
  auto taken = openxpc::bootstrap::take_inherited_sockets(name);
  if (taken.error) return taken.error;
  auto* made = static_cast<int*>(std::malloc(taken.sockets.size() * sizeof(int)));
  if (!made) return ENOMEM;
  for (std::size_t i = 0; i < taken.sockets.size(); ++i) made[i] = taken.sockets[i].release();
  // As a name's listener does: a service manager that comes later is to get the sockets back.
  openxpc::bootstrap::check_in();
  *fds = made;
  *count = taken.sockets.size();
  return 0;
}
