#include "engine/timer.hpp"

#include "engine/core.hpp"
#include "engine/fork.hpp"

#include <utility>

namespace openxpc::engine {

timer::timer(loop& where, task expired) : at_(new timer_node(where, std::move(expired))) {}

timer::timer(timer&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}

timer& timer::operator=(timer&& other) noexcept {
  std::swap(at_, other.at_);
  return *this;
}

timer::~timer() {
  if (!at_) return;
  cancel();
  at_->release();
}

void timer::schedule(base::instant when) {
  if (at_ && !forked()) core::get().clock.schedule(base::ref<timer_node>::share(at_), when);
}

bool timer::cancel() noexcept { return at_ && !forked() && core::get().clock.cancel(*at_); }

}  // namespace openxpc::engine
