#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <vector>

namespace openxpc::supervise {

/// A few low descriptor numbers, kept from the start. What a new process needs is put there, so
/// that it gets a table of these alone: with a listening socket for each of 10,000 names, copying
/// them all, and closing the copies again, takes longer than the launch itself.
class low_descriptors {
 public:
  explicit low_descriptors(std::size_t count = 64);

  /// Duplicates each of these and changes the number to the duplicate's; those that are negative
  /// stay. All or nothing: false when there are more than were kept, or the kernel refuses.
  [[nodiscard]] bool borrow(const std::vector<int*>& numbers);
  /// Lets go of all duplicates.
  void give_back() noexcept;
  /// Above all of them.
  int end() const noexcept { return end_; }

 private:
  base::fd null_;  // what stands at the numbers while nobody borrows them
  std::vector<base::fd> kept_;
  std::size_t borrowed_ = 0;
  int end_ = 0;
};

}  // namespace openxpc::supervise
