#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace openxpc::job {

/// One entry of Sockets: where xpcd listens for the job, which fetches the descriptors by
/// launch_activate_socket(3).
struct socket_entry {
  enum class family : unsigned char { any, ipv4, ipv6, both_in_one, unix_path };
  enum class kind : unsigned char { stream, datagram, seqpacket };  // the last with unix_path only

  std::string name;
  kind type = kind::stream;
  family how = family::any;
  std::string node, service;  // empty node: every address of the machine
  std::string path;           // with unix_path
  mode_t path_mode = 0600;
  std::optional<uid_t> path_owner;
  std::optional<gid_t> path_group;
};

}  // namespace openxpc::job
