#include "engine/engine.hpp"

#include "engine/core.hpp"
#include "engine/fork.hpp"

#include <utility>

namespace openxpc::engine {

loop* current_loop() noexcept {
  position& mine = here();
  return mine.at && mine.at->stance() == mine.stance ? mine.at : nullptr;
}

loop& next_loop() noexcept { return core::get().next_loop(); }

loop& any_loop() noexcept {
  loop* mine = current_loop();
  return mine ? *mine : next_loop();
}

bool post(loop& where, task work) {
  if (forked() || !where.start()) return false;
  where.post(std::move(work));
  return true;
}

bool post(task work) { return !forked() && post(any_loop(), std::move(work)); }

bool choose_drive(drive who) noexcept { return core::choose(who); }

int borrowed_fd() noexcept {
  core& engine = core::get();
  return engine.mode() == drive::program && !forked() ? engine.loop_at(0).epoll_fd() : -1;
}

std::size_t poll() {
  core& engine = core::get();
  return engine.mode() == drive::program && !forked() ? engine.loop_at(0).poll() : 0;
}

}  // namespace openxpc::engine
