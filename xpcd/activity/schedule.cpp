#include "activity/schedule.hpp"

#include <algorithm>

namespace openxpc::activity {

using std::chrono::nanoseconds;

void schedule::change(job::activity_criteria what, instant now) {
  what_ = std::move(what);
  period_ = now;
  not_before_ = {};
  attempts_ = 0;
  if (phase_ == phase::finished) phase_ = phase::waiting;
}

instant schedule::due() const noexcept {
  if (phase_ != phase::waiting) return base::never;
  if (demanded_) return instant{};
  if (what_.empty) return base::never;
  return std::max(period_ + what_.delay, not_before_);
}

instant schedule::pressing() const noexcept {
  const instant from = due();
  return from == base::never ? from : std::max(from, period_ + what_.delay + what_.grace);
}

void schedule::started(instant now) noexcept {
  phase_ = phase::running;
  run_started_ = now;
  demanded_ = false;
  ++runs_;
}

void schedule::done(instant now) noexcept {
  if (phase_ != phase::running) return;
  attempts_ = 0;
  not_before_ = {};
  if (!what_.repeats) {
    phase_ = phase::finished;
    return;
  }
  phase_ = phase::waiting;
  const nanoseconds length = what_.interval;
  if (length.count() == 0) {
    period_ = now;
    not_before_ = now + least_pause;
    return;
  }
  // The period behind the one that the run began in, or, if that has passed, the present one.
  const instant next = period_ + ((run_started_ - period_) / length + 1) * length;
  period_ = std::max(next, period_ + (now - period_) / length * length);
}

void schedule::not_done(instant now) noexcept {
  if (phase_ == phase::finished) return;
  phase_ = phase::waiting;
  demanded_ = false;
  ++attempts_;
  not_before_ = now + retry();
}

/// A tenth of its own time, twice as long with each attempt.
nanoseconds schedule::retry() const noexcept {
  const nanoseconds own = what_.interval.count() != 0 ? nanoseconds(what_.interval)
                                                      : nanoseconds(what_.delay + what_.grace);
  const nanoseconds first =
      std::clamp<nanoseconds>(own / 10, std::chrono::seconds(1), std::chrono::minutes(5));
  return std::min<nanoseconds>(first * (1 << std::min(attempts_ - 1, 10U)), std::chrono::hours(1));
}

void schedule::restore(instant period, std::uint64_t runs, instant now) noexcept {
  period_ = std::min(period, now);
  runs_ = runs;
}

bool may_start(const schedule& one, std::size_t running, instant now) noexcept {
  if (one.due() > now) return false;
  return one.criteria().utility || running < most_at_once || one.pressing() <= now;
}

}  // namespace openxpc::activity
