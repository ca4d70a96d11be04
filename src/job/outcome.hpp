#pragma once

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace openxpc {

/// Why something of xpcd's did not work: what a person reads, and what a program asks for.
struct trouble {
  enum class kind {
    bad_input,    // what was given is wrong; the text says where and how
    not_found,    // no such job, name, program, directory
    conflict,     // somebody else has it
    denied,       // permissions
    unavailable,  // the system would not: memory, descriptors, disk; may work later
  };
  kind what = kind::unavailable;
  std::string text;
  int number = 0;  // errno, or 0
};

/// A value, or why there is none.
template <class T>
class [[nodiscard]] outcome {
 public:
  outcome(T value) : value_(std::move(value)) {}
  outcome(trouble why) : trouble_(std::move(why)) {}

  explicit operator bool() const noexcept { return value_.has_value(); }
  // Looking first is the caller's, as with the optional itself.
  // NOLINTBEGIN(bugprone-unchecked-optional-access)
  T& operator*() noexcept { return *value_; }
  const T& operator*() const noexcept { return *value_; }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }
  // NOLINTEND(bugprone-unchecked-optional-access)
  const trouble& error() const noexcept { return trouble_; }

 private:
  std::optional<T> value_;
  trouble trouble_;
};

/// What a function reports that gives nothing back but may fail.
using failure_of = std::optional<trouble>;

/// "subject: No such file or directory", sorted by what kind of error it is.
inline trouble system_trouble(int number, const std::string& subject) {
  trouble::kind kind = trouble::kind::unavailable;
  if (number == ENOENT || number == ENOTDIR) kind = trouble::kind::not_found;
  if (number == EACCES || number == EPERM || number == EROFS || number == ELOOP) {
    kind = trouble::kind::denied;
  }
  return {kind, subject + ": " + std::strerror(number), number};
}

}  // namespace openxpc
