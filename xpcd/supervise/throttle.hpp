#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace openxpc::supervise {

/// How a run ended, as far as the next start is concerned.
enum class run_end : unsigned char {
  clean,  // exit status 0
  asked,  // somebody asked for it: a verb, an upgrade, a shutdown
  bad,    // a signal, another exit status, or one that nobody could learn
};

/// Decides when a job may start again. Only runs that end badly within the interval count; after
/// five of them in a row the job has failed. A job that is kept alive and ends well at once waits
/// too, but does not fail: without that it would be started in a loop as fast as the machine can.
class throttle {
 public:
  enum class verdict : unsigned char { at_once, wait, failed };

  static constexpr unsigned most_quick_ends = 5;
  static constexpr std::chrono::minutes rest_of_failed{10};

  explicit throttle(std::chrono::seconds interval = std::chrono::seconds(10))
      : interval_(interval) {}

  void started(base::instant now) noexcept { started_ = now; }
  /// @param kept whether the job is to start again without anybody asking.
  verdict ended(base::instant now, run_end how, bool kept) noexcept {
    const bool quick = now < allowed();
    if (how == run_end::asked || !quick) {
      quick_ends_ = 0;
      return verdict::at_once;
    }
    if (how == run_end::clean) {
      quick_ends_ = 0;
      return kept ? verdict::wait : verdict::at_once;
    }
    return ++quick_ends_ >= most_quick_ends ? verdict::failed : verdict::wait;
  }
  /// The moment from which a start is allowed again, after verdict `wait`.
  base::instant allowed() const noexcept { return started_ + interval_; }
  unsigned quick_ends() const noexcept { return quick_ends_; }
  /// A verb, or the rest of a failed job, gives another chance.
  void forgive() noexcept { quick_ends_ = 0; }
  /// For an xpcd that takes over from another.
  void restore(base::instant started, unsigned quick_ends) noexcept {
    started_ = started;
    quick_ends_ = quick_ends;
  }
  base::instant started() const noexcept { return started_; }

 private:
  std::chrono::seconds interval_;
  base::instant started_{};
  unsigned quick_ends_ = 0;
};

}  // namespace openxpc::supervise
