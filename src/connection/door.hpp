#pragma once

#include "base/fd.hpp"
#include "connection/admission.hpp"
#include "engine/registration.hpp"
#include "engine/timer.hpp"

#include <mutex>

namespace openxpc::connection {

class listener;

/// One listening socket and the accepting at it.
class door final : public engine::source {
 public:
  door(base::ref<listener> of, base::fd listening);
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
  engine::registration watch_;
  engine::timer later_;
};

}  // namespace openxpc::connection
