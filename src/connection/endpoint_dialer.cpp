#include "connection/endpoint_dialer.hpp"

#include "connection/private_socket.hpp"

#include <cerrno>
#include <cstring>
#include <string>

namespace openxpc::connection {

dialer::answer endpoint_dialer::dial(base::instant) {
  base::fd socket = connect_to_path(to_->borrowed_fd());
  if (socket) return {std::move(socket), nullptr};
  switch (errno) {
    case EAGAIN:
      return {};
    case ECONNREFUSED:
      return {
          {},
          make_error(OPENXPC_ERROR_NOT_FOUND, "nobody listens behind the endpoint any more",
                     "ask whoever gave the endpoint for a new one", OPENXPC_ERROR_NOT_ACCEPTED)};
    case EMFILE:
    case ENFILE:
      return {{},
              make_error(OPENXPC_ERROR_NO_RESOURCES, "no descriptor is free for a connection",
                         "raise the limit: ulimit -n")};
    default:
      return {
          {},
          make_error(OPENXPC_ERROR_INVALID_ARGUMENT,
                     std::string("the endpoint cannot be connected to: ") + std::strerror(errno))};
  }
}

}  // namespace openxpc::connection
