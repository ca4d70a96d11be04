#pragma once

#include "base/fd.hpp"
#include "connection/admission.hpp"
#include "engine/registration.hpp"
#include "engine/timer.hpp"

#include <cstdint>
#include <mutex>

namespace openxpc::connection {

class listener;

/// Who has a socket: one that is the program's alone ends with its listener, and the listener with
/// it. One of the service manager's may be replaced by another one while the listener goes on.
enum class held_by : std::uint8_t { program, service_manager };

/// One listening socket and the accepting at it.
class door final : public engine::source {
 public:
  door(base::ref<listener> of, base::fd listening, held_by whom);
  ~door() override;
  void open();
  /// Nobody is accepted any more once this has returned, but for one who is just coming in. The
  /// socket is closed, never shut down: another process may hold it too.
  void close();

 private:
  void ready(std::uint32_t events) override;
  bool accept_one();
  bool turn_one_away();

  std::mutex mutex_;
  base::ref<listener> of_;
  base::fd socket_;
  const base::ref<admission> admission_;
  base::fd reserve_;
  const held_by whom_;
  int lost_ = 0;  // why nobody will ever come in here again
  engine::registration watch_;
  engine::timer later_;
};

}  // namespace openxpc::connection
