#pragma once

#include "base/fd.hpp"

#include <string>
#include <thread>

namespace attack {

/// A file system in user space whose server answers too little, mounted for this process and its
/// children alone. Nothing is left of it at the end, and whoever hangs in it is let go.
class hung_mount {
 public:
  enum class server {
    silent,          ///< every look at a file in it hangs
    deaf_at_closing  ///< any name is a file that opens; to close it hangs
  };
  /// The directory must exist. Empty where no such thing can be mounted: ask why_not().
  hung_mount(const std::string& directory, server how);
  ~hung_mount();
  hung_mount(const hung_mount&) = delete;
  hung_mount& operator=(const hung_mount&) = delete;

  explicit operator bool() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }

 private:
  const char* mount_it();
  void answer_all();
  bool answer(std::string& request) const;

  std::string directory_, why_not_;
  openxpc::base::fd device_, stop_;
  std::thread answers_;
};

}  // namespace attack
