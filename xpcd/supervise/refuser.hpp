#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace openxpc::supervise {

/// Accepts clients that wait at a listener only to tell them why nobody serves them. On a thread of
/// its own: the service shares the socket and can make accept() block at any moment, and xpcd's
/// loop must not stand still for that.
class refuser {
 public:
  struct order {
    base::fd listener;  // a duplicate
    std::uint32_t code = 0;
    std::uint32_t flags = 0;
    std::string text;
    bool close_for_good = false;  // nobody may connect to this socket any more, whoever holds it
    base::function<void()> done;  // called on the refuser's thread; may be empty
  };

  refuser();
  /// Waits for the order under way, but not for ever.
  ~refuser();
  refuser(const refuser&) = delete;
  refuser& operator=(const refuser&) = delete;

  void take(order what);

 private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

/// What an order does, on the calling thread. @return how many clients were told.
std::size_t refuse_waiting(const refuser::order& what);

}  // namespace openxpc::supervise
