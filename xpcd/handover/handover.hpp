#pragma once

#include "base/fd.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

/// What an xpcd gives to the next one when it becomes that one by exec: a memfd with a dictionary
/// in the portable encoding, and open descriptors, which the dictionary names by their numbers.
namespace openxpc::handover {

/// What stands under "format". A program that reads another one refuses it, before anything has
/// happened (--check-state).
inline constexpr std::int64_t format = 1;

/// Notes which descriptors must stay open. They remain their owners'.
class outgoing {
 public:
  /// Puts the number into the dictionary; an empty descriptor leaves no key.
  void keep(xpc_object_t into, std::string_view key, int borrowed_fd);
  const std::vector<int>& kept() const noexcept { return kept_; }

 private:
  std::vector<int> kept_;
};

/// Owns what came, until somebody takes it; what nobody took is closed at the end.
class incoming {
 public:
  incoming() = default;
  /// @param state  a dictionary of write(): its "descriptors" become this one's, close-on-exec
  explicit incoming(xpc_object_t state);
  ~incoming();
  incoming(const incoming&) = delete;
  incoming& operator=(const incoming&) = delete;

  /// The descriptor under that key; empty where there is none. Each number is given once.
  base::fd take(xpc_object_t from, std::string_view key);

 private:
  std::set<int> left_;
};

/// A sealed memfd (close-on-exec) with the dictionary, to which the format and the descriptors are
/// added.
outcome<base::fd> write(xpc_object_t state, const outgoing& kept);
/// Errors: it is no such file, or of another format; each says what was found.
outcome<object_ref> read(int borrowed_fd);

}  // namespace openxpc::handover
