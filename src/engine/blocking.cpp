#include "engine/blocking.hpp"

#include "engine/core.hpp"
#include "engine/fork.hpp"

namespace openxpc::engine {

blocking_region::blocking_region() noexcept {
  position& mine = here();
  if (!mine.at || forked()) return;
  core& engine = core::get();
  if (engine.mode() == drive::program) return;
  if (engine.threads.hand_over(*mine.at, mine.stance)) mine.at = nullptr;
}

}  // namespace openxpc::engine
