#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::object {

/// A mapping of this process, as /proc/self/maps shows it.
struct own_mapping {
  std::uintptr_t begin = 0, end = 0;
  bool readable = false, writable = false, shared = false;
  std::uint64_t offset = 0;  ///< of `begin` in the file
  std::string device;
  std::uint64_t inode = 0;
  std::string path;  ///< of the file, as readlink() on a descriptor of it says too

  bool names_same_file(const own_mapping& other) const noexcept {
    return inode != 0 && inode == other.inode && device == other.device;
  }
  /// No name leads to the file: memfds, anonymous shared memory, what was unlinked.
  bool is_nameless() const noexcept { return path.ends_with(" (deleted)"); }
};

/// All mappings, in the order of their addresses; empty where /proc is not there.
std::vector<own_mapping> own_mappings();
/// The one that holds the address.
std::optional<own_mapping> own_mapping_at(const void* address);
/// Whether the program could make that mapping writable, if it is not.
bool may_become_writable(const own_mapping& which);

/// A descriptor of the mapped file among those that this process has open, or by its name; that can
/// be written if `writable`. Empty when there is none to be had.
base::fd descriptor_of(const own_mapping& which, bool writable);

}  // namespace openxpc::object
