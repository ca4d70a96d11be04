#include <asio/steady_timer.hpp>
#include <asio/system_timer.hpp>

#include <memory>
#include <optional>

#include "dispatch/manager.hpp"
#include "dispatch/moment.hpp"
#include "dispatch/source.hpp"

namespace openxpc::dispatch {
namespace {

/// Ticks of one clock. Shared with the waits under way, which end it when the watch is gone.
template <class Timer>
class ticks : public std::enable_shared_from_this<ticks<Timer>> {
 public:
  using time_point = typename Timer::time_point;
  ticks(source& to, time_point first, std::uint64_t interval)
      : to_(&to), next_(first), interval_(interval), timer_(manager::get().context()) {}

  void wait() {
    timer_.expires_at(next_);
    timer_.async_wait([self = this->shared_from_this()](const asio::error_code& error) {
      if (!error && self->to_) self->ring();
    });
  }
  void stop() {
    to_ = nullptr;
    timer_.cancel();
  }

 private:
  using duration = typename Timer::duration;

  void ring() {
    auto now = time_point::clock::now();
    if (now < next_) return wait();  // the time of day was set back
    if (interval_ == 0) return to_->merge(1);
    // What was slept through counts.
    auto step = std::chrono::duration_cast<duration>(std::chrono::nanoseconds(interval_));
    if (step.count() == 0) step = duration{1};
    auto times = static_cast<std::uint64_t>((now - next_) / step) + 1;
    next_ += step * static_cast<std::int64_t>(times);
    wait();
    to_->merge(times);
  }

  source* to_;
  time_point next_;
  const std::uint64_t interval_;  // 0: once
  Timer timer_;
};

class timer_watch final : public watch {
 public:
  explicit timer_watch(source& to) : to_(to) {}
  ~timer_watch() override { stop(); }

  void set_timer(dispatch_time_t start, std::uint64_t interval) override {
    stop();
    // An interval beyond the clock's range never ends either.
    if (interval > static_cast<std::uint64_t>(INT64_MAX) / 2) interval = 0;
    moment at = moment_of(start);
    if (at.on == moment::clock::uptime) {
      up_ = std::make_shared<ticks<asio::steady_timer>>(
          to_, asio::steady_timer::time_point(at.since), interval);
      up_->wait();
    } else if (at.on == moment::clock::time_of_day) {
      day_ = std::make_shared<ticks<asio::system_timer>>(
          to_, asio::system_timer::time_point(at.since), interval);
      day_->wait();
    }
  }

 private:
  void stop() {
    if (up_) up_->stop();
    if (day_) day_->stop();
    up_.reset();
    day_.reset();
  }
  source& to_;
  std::shared_ptr<ticks<asio::steady_timer>> up_;
  std::shared_ptr<ticks<asio::system_timer>> day_;
};

}  // namespace

std::unique_ptr<watch> make_timer_watch(source& with) {
  return std::make_unique<timer_watch>(with);
}

}  // namespace openxpc::dispatch
