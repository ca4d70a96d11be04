#pragma once

#include "base/function.hpp"
#include "job/outcome.hpp"
#include "supervise/companion.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "activity/book.hpp"
#include "activity/schedule.hpp"

namespace openxpc::supervise {
class supervisor;
}

/// The activities of a domain's jobs: kept, started when they are due, in a process that is started
/// for them if need be.
namespace openxpc::activity {

class activities final : public supervise::companion {
 public:
  /// All are lent and must outlive it.
  activities(asio::io_context& loop, supervise::supervisor& jobs,
             const supervise::lasting_state& where);
  ~activities() override;
  activities(const activities&) = delete;
  activities& operator=(const activities&) = delete;

  // --- What a job's process says (docs/design/service-link.md) ---
  /// {identifier, criteria?, state?, serial?}: it has such an activity; without criteria it asks
  /// for those that there are. {criteria} in return.
  outcome<object_ref> take_register(const std::string& label, xpc_object_t message);
  /// {identifier, state, serial?, criteria?}: what has become of it.
  failure_of take_state(const std::string& label, xpc_object_t message);
  /// {identifier}
  failure_of take_forget(const std::string& label, xpc_object_t message);

  // --- Verbs ---
  using done = base::function<void(failure_of)>;
  /// Runs it now, whatever its criteria say; done when its handler has been told. One that runs is
  /// left alone.
  void run(const std::string& label, const std::string& identifier, done finished);
  /// Asks the program to defer the run that is under way.
  failure_of defer(const std::string& label, const std::string& identifier);

  /// What lasting state does not have goes to the xpcd that this one becomes; there before the jobs
  /// arrive.
  void hand_over(xpc_object_t into) const;
  void resume(xpc_object_t given);

  // --- companion ---
  void arrived(const job::description& job, bool taken_over) override;
  void left(const std::string& label) override;
  void process_ended(const std::string& label) override;
  void describe(const std::string& label, xpc_object_t into) const override;

 private:
  struct record;
  using record_ref = std::shared_ptr<record>;
  using records = std::map<std::string, record_ref>;

  record_ref find(const std::string& label, const std::string& identifier) const;
  record_ref make(const std::string& label, const std::string& identifier, entry what);
  void remove(const record_ref& one);
  static entries kept_of(const records& all);
  outcome<entries> load(const std::string& label);
  void save(const std::string& label);
  void change_criteria(record& one, xpc_object_t criteria);
  void apply_state(record& one, xpc_object_t message);
  void consider(const record_ref& one);
  void start(record& one);
  void end_run(record& one);
  void forget_waiters(record& one, const failure_of& why);
  void set_timer();
  void on_timer();
  void consider_all_due();

  asio::io_context& loop_;
  supervise::supervisor& jobs_;
  book book_;
  std::map<std::string, records> all_;          // by label
  std::map<std::string, entries> handed_over_;  // by label, until the job arrives
  std::set<std::pair<instant, record*>> due_;
  std::size_t running_ = 0;
  asio::steady_timer timer_;
  instant timer_at_ = base::never;
  std::shared_ptr<activities*> self_;
};

}  // namespace openxpc::activity
