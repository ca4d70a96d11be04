#include "supervise/low_descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace openxpc::supervise {

low_descriptors::low_descriptors(std::size_t count)
    : null_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  while (null_ && kept_.size() < count) {
    base::fd one = base::fd::copy(null_.get());
    if (!one) break;
    end_ = std::max(end_, one.get() + 1);
    kept_.push_back(std::move(one));
  }
}

bool low_descriptors::borrow(const std::vector<int*>& numbers) {
  std::vector<int> now;
  for (const int* one : numbers) {
    if (*one < 0) continue;
    if (borrowed_ == kept_.size() || ::dup3(*one, kept_[borrowed_].get(), O_CLOEXEC) < 0) {
      give_back();
      return false;
    }
    now.push_back(kept_[borrowed_++].get());
  }
  auto next = now.begin();
  for (int* one : numbers)
    if (*one >= 0) *one = *next++;
  return true;
}

void low_descriptors::give_back() noexcept {
  for (; borrowed_ != 0; --borrowed_)
    (void)::dup3(null_.get(), kept_[borrowed_ - 1].get(), O_CLOEXEC);
}

}  // namespace openxpc::supervise
