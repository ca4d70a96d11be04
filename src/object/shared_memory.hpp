#pragma once

#include "object/shared_fd.hpp"

#include <cstddef>

namespace openxpc::object {

/// Shared memory as an object: a descriptor of a file in memory and how much of it counts. What a
/// peer sent is mapped only when nobody can take the memory away again, which would end the process
/// that touches it (threat T44).

/// Why there is no object for a region.
enum class region_fault : std::uint8_t {
  none,
  not_mapped,     ///< not all of it
  not_shared,     ///< malloc()ed, or mapped by MAP_PRIVATE
  no_descriptor,  ///< a file that this process cannot open, or mapped from its middle
  no_resources,   ///< no memory or descriptor is left
};

/// Boxes a region of this process (rule 204): by a descriptor of what is mapped there where one is
/// to be had, else by putting a file in memory in its place, with the same content, which this
/// process keeps while the region is mapped.
/// @param region  the beginning of a page.  @param bytes  not 0.
ref<descriptor> share_region(void* region, std::size_t bytes, region_fault& why);

/// Boxes the beginning of a file, which can no longer shrink then if it is a memfd that was not
/// sealed against sealing. Null with errno for what is no file, or shorter.
ref<descriptor> share_file(base::fd owned, std::size_t bytes);

/// From now on nobody gets a new writable mapping; false when that is no memfd, or sealed already.
bool make_read_only(const descriptor& which);

struct mapped_region {
  void* at = nullptr;
  std::size_t bytes = 0;  ///< whole pages; 0: it was not mapped
};
/// A new mapping, writable if the descriptor is, to be ended by munmap().
mapped_region map_region(const descriptor& which);

/// Lets go of files that stand for regions which are no longer mapped.
void forget_unmapped_regions() noexcept;

}  // namespace openxpc::object
