#pragma once

#include <cerrno>

namespace openxpc::base {

/// As long as it lives what is called may spoil errno: afterwards it is what it was. For what
/// stands between a system call and the look at what became of it.
class same_errno {
 public:
  same_errno() noexcept : before_(errno) {}
  same_errno(const same_errno&) = delete;
  same_errno& operator=(const same_errno&) = delete;
  ~same_errno() { errno = before_; }

 private:
  const int before_;
};

}  // namespace openxpc::base
