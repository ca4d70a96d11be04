#pragma once

#include "base/clock.hpp"
#include "job/activity.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// When activities are due: decides and does nothing; whoever asks brings the clock.
namespace openxpc::activity {

using base::instant;

/// The times of one activity.
///
/// Time is cut into periods. An activity with an interval has periods of that length, one behind
/// the other, and may run once in each, from its delay on: so two runs may be closer than the
/// interval, but there is one in each on average (rule 193). Periods that passed meanwhile, while
/// the machine was off or a run lasted, are not made up for. One that repeats without an interval
/// has its next period from the end of a run on (rule 192).
class schedule {
 public:
  enum class phase : unsigned char { waiting, running, finished };

  /// The least time between the end of a run and the next one, for criteria that give none.
  static constexpr std::chrono::seconds least_pause{1};

  /// The first period begins now.
  schedule(job::activity_criteria what, instant now) : what_(std::move(what)), period_(now) {}
  /// Other criteria: the timers start anew. A run that is under way goes on.
  void change(job::activity_criteria what, instant now);

  const job::activity_criteria& criteria() const noexcept { return what_; }
  phase at() const noexcept { return phase_; }
  /// When it may run: in the past when it is overdue; base::never while it runs, when it has no
  /// criteria, and when it is finished.
  instant due() const noexcept;
  /// Its grace period is over: from now on it runs whatever else does. Not before due().
  instant pressing() const noexcept;

  void started(instant now) noexcept;
  /// Rule 192: it is finished, or its timers start again.
  void done(instant now) noexcept;
  /// It did not come to an end: deferred by the program, or the program is gone. It stays due
  /// (rule 189), but is tried again only after a while, and then a longer one.
  void not_done(instant now) noexcept;
  /// Now, whatever the criteria say.
  void demand() noexcept { demanded_ = true; }

  std::uint64_t runs() const noexcept { return runs_; }
  unsigned attempts() const noexcept { return attempts_; }

  /// For lasting state: when the present period began. An earlier xpcd's comes back by restore();
  /// one that lies in the future, since a clock was set, begins now.
  instant period() const noexcept { return period_; }
  void restore(instant period, std::uint64_t runs, instant now) noexcept;

 private:
  std::chrono::nanoseconds retry() const noexcept;

  job::activity_criteria what_;
  phase phase_ = phase::waiting;
  instant period_;
  instant run_started_{};
  instant not_before_{};
  std::uint64_t runs_ = 0;
  unsigned attempts_ = 0;
  bool demanded_ = false;
};

/// How many activities of a domain run at once before those that are upkeep, and whose grace period
/// is not over, wait for others to end.
inline constexpr std::size_t most_at_once = 4;

/// Whether one that is due starts now, while `running` others run.
bool may_start(const schedule& one, std::size_t running, instant now) noexcept;

}  // namespace openxpc::activity
