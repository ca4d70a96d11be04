#include "activity/activities.hpp"

#include "job/reader.hpp"
#include "supervise/supervisor.hpp"

#include <xpc/openxpc/plist.h>

#include <algorithm>
#include <cstdlib>

#include "activity/record.hpp"

namespace openxpc::activity {

namespace {

constexpr std::size_t longest_identifier = 255;
constexpr std::size_t most_criteria_bytes = 16384;

std::int64_t clock_of_the_day() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A moment of the boot clock by the clock of the day, as of now, and back.
std::int64_t to_day(instant when, instant now) {
  return clock_of_the_day() -
         std::chrono::duration_cast<std::chrono::milliseconds>(now - when).count();
}
instant from_day(std::int64_t when, instant now) {
  // As far back as any interval goes is far enough; what lies ahead counts as now.
  constexpr std::int64_t longest = 10LL * 365 * 24 * 3600 * 1000;
  const std::int64_t today = clock_of_the_day();
  if (when >= today) return now;
  const std::int64_t ago = when < today - longest ? longest : today - when;
  return now - std::chrono::milliseconds(ago);
}

}  // namespace

job::activity_criteria read_criteria(const std::string& label, const std::string& identifier,
                                     xpc_object_t dictionary) {
  job::reader in(dictionary, nullptr);
  job::activity_criteria result = job::read_activity(in, {identifier}, dictionary);
  for (const job::finding& one : in.take_findings())
    supervise::say(label, job::describe(one, "activity"));
  return result;
}

failure_of wrong_with(const std::string& identifier, xpc_object_t criteria) {
  const bool good = !identifier.empty() && identifier.size() <= longest_identifier &&
                    std::none_of(identifier.begin(), identifier.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (!good) {
    return trouble{trouble::kind::bad_input,
                   "an activity's identifier has 1 to 255 bytes and no control characters"};
  }
  if (criteria == nullptr) return std::nullopt;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  const std::unique_ptr<char, decltype(&std::free)> text(
      ::openxpc_plist_write_xml(criteria, &size, &error), &std::free);
  if (!text) {
    trouble why{trouble::kind::bad_input,
                identifier + ": criteria: " + ::openxpc_error_get_message(error)};
    ::xpc_release(error);
    return why;
  }
  if (size > most_criteria_bytes) {
    return trouble{trouble::kind::bad_input, identifier + ": criteria: more than " +
                                                 std::to_string(most_criteria_bytes) + " bytes"};
  }
  return std::nullopt;
}

activities::activities(asio::io_context& loop, supervise::supervisor& jobs,
                       const supervise::lasting_state& where)
    : loop_(loop),
      jobs_(jobs),
      book_(where),
      timer_(loop),
      self_(std::make_shared<activities*>(this)) {}

activities::~activities() { *self_ = nullptr; }

activities::record_ref activities::find(const std::string& label,
                                        const std::string& identifier) const {
  auto job = all_.find(label);
  if (job == all_.end()) return nullptr;
  auto at = job->second.find(identifier);
  return at == job->second.end() ? nullptr : at->second;
}

activities::record_ref activities::make(const std::string& label, const std::string& identifier,
                                        entry what) {
  const instant now = base::boot_clock::now();
  schedule times(read_criteria(label, identifier, what.criteria.get()), now);
  if (what.period_ms != 0) times.restore(from_day(what.period_ms, now), what.runs, now);
  if (what.running) {
    ++running_;
    times.started(now);
  }
  auto made = std::make_shared<record>(label, identifier, std::move(what), std::move(times));
  all_[label][identifier] = made;
  return made;
}

void activities::remove(const record_ref& one) {
  end_run(*one);
  due_.erase({one->listed, one.get()});
  forget_waiters(*one, trouble{trouble::kind::not_found, one->identifier + ": was unregistered"});
  auto job = all_.find(one->label);
  if (job == all_.end()) return;
  job->second.erase(one->identifier);
  if (job->second.empty()) all_.erase(job);
}

void activities::end_run(record& one) {
  if (one.times.at() == schedule::phase::running) --running_;
}

void activities::forget_waiters(record& one, const failure_of& why) {
  std::vector<done> waiting = std::move(one.waiting);
  one.waiting.clear();
  for (done& each : waiting) each(why);
}

/// As they are now.
entries activities::kept_of(const records& all) {
  entries result;
  const instant now = base::boot_clock::now();
  for (const auto& [identifier, one] : all) {
    entry& copy = result[identifier];
    copy.criteria = retain(one->kept.criteria.get());
    copy.from_description = one->kept.from_description;
    copy.unregistered = one->kept.unregistered;
    copy.serial = one->kept.serial;
    copy.running = one->times.at() == schedule::phase::running;
    copy.period_ms = to_day(one->times.period(), now);
    copy.runs = one->times.runs();
  }
  return result;
}

void activities::hand_over(xpc_object_t into) const {
  object_ref all = new_dictionary();
  for (const auto& [label, job] : all_) {
    const bool lasts = std::all_of(job.begin(), job.end(),
                                   [](const auto& one) { return one.second->not_kept.empty(); });
    if (!lasts) set(all.get(), label, pack(kept_of(job)));
  }
  set(into, "activities", std::move(all));
}

void activities::resume(xpc_object_t given) {
  xpc_object_t all = get_object(given, "activities");
  if (all == nullptr || !job::is(all, OPENXPC_TYPE_DICTIONARY)) return;
  job::each_entry(all, [&](const std::string& label, xpc_object_t its) {
    outcome<entries> known = unpack(its, "what was handed over");
    if (!known) return supervise::say(label, "its activities are lost: " + known.error().text);
    handed_over_[label] = std::move(*known);
  });
}

outcome<entries> activities::load(const std::string& label) {
  auto handed = handed_over_.extract(label);
  return handed ? outcome<entries>(std::move(handed.mapped())) : book_.load(label);
}

/// What cannot be kept is said once, and in print.
void activities::save(const std::string& label) {
  auto job = all_.find(label);
  const entries all = job == all_.end() ? entries() : kept_of(job->second);
  const failure_of why = book_.save(label, all);
  if (job == all_.end()) return;
  bool said = false;
  for (const auto& [identifier, one] : job->second) {
    const std::string text = why ? why->text : std::string();
    if (!text.empty() && one->not_kept != text && !said) {
      supervise::say(label, "its activities last as long as xpcd, and its upgrades: " + text);
      said = true;
    }
    one->not_kept = text;
  }
}

void activities::arrived(const job::description& job, bool taken_over) {
  outcome<entries> saved = load(job.label);
  if (!saved) supervise::say(job.label, "its activities are lost: " + saved.error().text);
  entries known = saved ? std::move(*saved) : entries();
  xpc_object_t declared =
      job.launch_events ? get_object(job.launch_events.get(), job::activity_stream) : nullptr;
  if (declared == nullptr && known.empty()) return;
  if (jobs_.pid_of(job.label) == 0) {
    for (auto& [identifier, one] : known) one.running = false;
  }
  if (!taken_over) {
    // Rule 196: what the description has is as it says, whatever became of it.
    std::erase_if(known, [](const auto& one) { return one.second.unregistered; });
  }
  if (declared != nullptr) {
    job::each_entry(declared, [&](const std::string& identifier, xpc_object_t criteria) {
      entry& one = known[identifier];
      if (taken_over && one.criteria) return;
      one.criteria = object_ref(::xpc_copy(criteria));
      one.from_description = true;
    });
  }
  std::erase_if(known, [&](const auto& one) {
    return one.second.from_description &&
           (declared == nullptr || get_object(declared, one.first) == nullptr);
  });
  for (auto& [identifier, one] : known) make(job.label, identifier, std::move(one));
  save(job.label);
  if (auto here = all_.find(job.label); here != all_.end()) {
    for (const auto& [identifier, one] : here->second) consider(one);
  }
}

/// What is remembered stays: the job may come back, as all do when xpcd was stopped.
void activities::left(const std::string& label) {
  auto job = all_.find(label);
  if (job == all_.end()) return;
  const records gone = job->second;
  all_.erase(job);
  for (const auto& [identifier, one] : gone) {
    end_run(*one);
    due_.erase({one->listed, one.get()});
    forget_waiters(*one, trouble{trouble::kind::not_found, label + ": was removed"});
  }
  consider_all_due();
}

void activities::process_ended(const std::string& label) {
  auto job = all_.find(label);
  if (job == all_.end()) return;
  const instant now = base::boot_clock::now();
  for (const auto& [identifier, one] : job->second) {
    const bool ran = one->times.at() == schedule::phase::running;
    end_run(*one);
    // A run without an end is no run, and a start that led to none is not repeated at once.
    if (ran || one->woke) one->times.not_done(now);
    one->ready = one->woke = one->asked_to_defer = false;
    forget_waiters(*one, trouble{trouble::kind::unavailable,
                                 label + ": its process ended before it ran " + identifier});
  }
  save(label);
  // Not from within the end of the process: what is due may start the next one.
  for (const auto& [identifier, one] : job->second) {
    due_.erase({one->listed, one.get()});
    one->listed = one->times.due();
    if (one->listed != base::never) due_.insert({one->listed, one.get()});
  }
  set_timer();
}

/// Starts it if it may, sees to it that there is a process for it, or puts it where the timer finds
/// it.
void activities::consider(const record_ref& one) {
  due_.erase({one->listed, one.get()});
  one->listed = base::never;
  if (one->kept.unregistered) return;
  const instant now = base::boot_clock::now();
  const instant due = one->times.due();
  instant look_again = due;
  if (due <= now) {
    if (!one->waiting.empty() || may_start(one->times, running_, now)) {
      if (one->ready) return start(*one);
      look_again = base::never;  // when the process has registered it, or has ended
      if (!one->woke) {
        one->woke = true;
        if (!jobs_.wake(one->label)) {
          one->woke = false;
          one->times.not_done(now);
          look_again = one->times.due();
        }
      }
    } else {
      look_again = one->times.pressing();
    }
  }
  one->listed = look_again;
  if (look_again != base::never) due_.insert({look_again, one.get()});
  set_timer();
}

void activities::start(record& one) {
  ++one.kept.serial;
  object_ref order = new_dictionary();
  set(order.get(), "op", "activity-run");
  set(order.get(), "identifier", one.identifier);
  set(order.get(), "serial", static_cast<std::int64_t>(one.kept.serial));
  one.times.started(base::boot_clock::now());
  one.woke = one.asked_to_defer = false;
  ++running_;
  save(one.label);
  if (!jobs_.send(one.label, order.get())) {
    // The link is gone, and comes back with what the program knows, or the process ends.
    --running_;
    one.ready = false;
    one.times.not_done(base::boot_clock::now());
    one.listed = one.times.due();
    if (one.listed != base::never) due_.insert({one.listed, &one});
    return set_timer();
  }
  forget_waiters(one, std::nullopt);
}

void activities::consider_all_due() {
  const instant now = base::boot_clock::now();
  std::vector<record_ref> all;
  // Also those that wait for others to end.
  for (const auto& [label, job] : all_) {
    for (const auto& [identifier, one] : job) {
      if (one->times.due() <= now && !one->woke) all.push_back(one);
    }
  }
  for (const record_ref& one : all) {
    if (find(one->label, one->identifier) == one) consider(one);
  }
  set_timer();
}

void activities::set_timer() {
  const instant next = due_.empty() ? base::never : due_.begin()->first;
  if (next == timer_at_) return;
  timer_at_ = next;
  if (next == base::never) {
    timer_.cancel();
    return;
  }
  const auto wait = std::max<std::chrono::nanoseconds>(next - base::boot_clock::now(),
                                                       std::chrono::nanoseconds(0));
  timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(wait));
  timer_.async_wait([self = self_](const asio::error_code& error) {
    if (!error && *self != nullptr) (*self)->on_timer();
  });
}

void activities::on_timer() {
  timer_at_ = base::never;
  consider_all_due();
}

}  // namespace openxpc::activity
