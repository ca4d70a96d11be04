#include "live.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <iomanip>
#include <iostream>

#include "lines.hpp"
#include "rows.hpp"

namespace fswatch {
namespace {

using clock = std::chrono::steady_clock;

std::atomic<bool> interrupted{false};

/// Counts and prints; on a terminal the last line is a running summary.
class display {
 public:
  explicit display(const live_options& how)
      : how_(how), terminal_(::isatty(STDOUT_FILENO) && !how.json) {}

  /// False once the event to stop at was shown.
  bool show(const event& what) {
    if (what.id <= last_id_) return true;
    last_id_ = what.id;
    ++total_;
    if (!first_) first_ = clock::now();
    latest_ = clock::now();
    if (!how_.quiet) {
      if (terminal_) std::cout << "\r\033[K";
      std::cout << (how_.json ? json_line(what) : text_line(what)) << '\n';
    }
    return !(how_.until && what.path == *how_.until);
  }
  void missed(std::uint64_t count) {
    missed_ += count;
    std::cout << (terminal_ ? "\r\033[K" : "") << "missed " << count
              << " events: this client did not keep up\n";
  }
  void refresh() {
    if (!terminal_ || clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = clock::now();
    std::cout << "\r\033[K" << summary() << std::flush;
  }
  void finish() {
    if (terminal_) std::cout << "\r\033[K";
    if (how_.json)
      std::cout << "{\"delivered\": " << total_ << ", \"missed\": " << missed_
                << ", \"rate\": " << std::fixed << std::setprecision(0) << rate() << "}\n";
    else
      std::cout << summary() << '\n';
    std::cout.flush();
  }
  std::int64_t last_id() const { return last_id_; }

 private:
  double rate() const {
    if (!first_ || latest_ == *first_) return 0;
    return static_cast<double>(total_) / std::chrono::duration<double>(latest_ - *first_).count();
  }
  std::string summary() const {
    std::ostringstream text;
    text << "events " << total_ << "  rate " << std::fixed << std::setprecision(0) << rate()
         << "/s  missed " << missed_;
    return text.str();
  }

  const live_options& how_;
  const bool terminal_;
  std::uint64_t total_ = 0, missed_ = 0;
  std::int64_t last_id_ = 0;
  std::optional<clock::time_point> first_;
  clock::time_point latest_{}, drawn_{};
};

/// What happened between the last event that was shown and the first of a new subscription.
xpc::result<bool> catch_up(const xpc::connection& service, display& screen) {
  for (;;) {
    auto reply =
        service.call({{"op", "history"}, {"after", screen.last_id()}, {"limit", 1000}}).wait();
    if (!reply) return reply.error();
    auto rows = reply->get<std::vector<xpc::dictionary>>("rows");
    if (!rows) return rows.error();
    if (rows->empty()) return true;
    for (const xpc::dictionary& row : *rows) {
      auto what = from_row(row);
      if (!what) return what.error();
      if (!screen.show(*what)) return false;
    }
  }
}

}  // namespace

int show_live(const xpc::connection& service, const live_options& how) {
  std::signal(SIGINT, [](int) { interrupted = true; });
  std::signal(SIGTERM, [](int) { interrupted = true; });
  display screen(how);
  bool first = true;
  for (;;) {
    auto live = service.subscribe({{"op", "live"}}, {.credit_bytes = 1 << 20});
    // A call behind the subscription on the same connection: its reply says that the subscription
    // stands.
    auto status = service.call({{"op", "status"}}).wait();
    if (!status && !status.error().can_retry()) return xpc::report(status.error());
    if (status && std::exchange(first, false) && !how.json) std::cout << "live" << std::endl;
    if (screen.last_id() > 0) {
      auto caught_up = catch_up(service, screen);
      if (caught_up && !*caught_up) return screen.finish(), 0;
      if (!caught_up && !caught_up.error().can_retry()) return xpc::report(caught_up.error());
    }
    for (;;) {
      auto next = live.try_next();
      if (next && !*next) {
        screen.refresh();
        std::cout.flush();
        auto waited = live.next().wait();
        next = waited ? xpc::result<std::optional<xpc::row<xpc::dictionary>>>(*std::move(waited))
                      : xpc::result<std::optional<xpc::row<xpc::dictionary>>>(waited.error());
      }
      if (interrupted) return screen.finish(), 0;
      if (!next) break;
      if ((*next)->missed) screen.missed((*next)->missed);
      auto what = from_row((*next)->value);
      if (!what) return xpc::report(what.error());
      if (!screen.show(*what)) return screen.finish(), 0;
    }
    auto end = live.outcome();
    if (end || end.error() != xpc::errc::interrupted) {
      screen.finish();
      return end ? 0 : xpc::report(end.error());
    }
  }
}

}  // namespace fswatch
