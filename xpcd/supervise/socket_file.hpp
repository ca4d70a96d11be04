#pragma once

#include <sys/types.h>

#include <string>

namespace openxpc::supervise {

/// The file of a path of Sockets: whoever holds the socket behind it has it from the job.
struct socket_file {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
};

}  // namespace openxpc::supervise
