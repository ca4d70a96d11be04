#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/mutex.hpp"
#include "base/recycled.hpp"
#include "channel/waiter.hpp"
#include "connection/asker.hpp"
#include "connection/executor.hpp"
#include "object/dictionary.hpp"

#include <atomic>

namespace openxpc::connection {

/// A request under way; its outcome is a reply or an error, set once and taken once. Threads: any.
class call final : public asker, public base::recycled {
 public:
  using completion = base::function<void(base::ref<object::dictionary>, error_ref)>;
  using progress = base::function<void(base::ref<object::dictionary>)>;

  call(base::ref<conversation> by, base::instant deadline, progress told);

  /// Sets the outcome unless it is set; exactly one of the two is given.
  void finish(base::ref<object::dictionary> reply, error_ref error);
  bool ready();

  /// Blocks for the outcome, at the longest until the deadline; reads for the conversation
  /// meanwhile.
  error_ref wait(base::ref<object::dictionary>& reply);
  /// Calls `done` once with the outcome, on `where`; without one on an engine thread.
  void then(completion done, base::ref<executor> where);
  void cancel();
  /// The conversation's clock says that the deadline has passed.
  void expire();

  /// Where the conversation's own callbacks run.
  base::ref<executor> default_executor() const;
  base::instant deadline() const noexcept { return deadline_; }

  void answered(channel::arrival&& what, channel::channel& over) override;
  void unanswered(error_ref why) override { finish(nullptr, std::move(why)); }
  void issued(base::ref<channel::channel> over, std::uint64_t id) override;

 private:
  friend class conversation;
  ~call() override;
  void give_up(channel::cancel_reason reason, error_ref why);
  /// @param held  what the reply holds of the limits of `over`.
  void finish(base::ref<object::dictionary> reply, error_ref error, const channel::charge& held,
              channel::channel* over);
  void let_go();
  void expect_by_deadline();

  const base::ref<conversation> by_;
  const base::instant deadline_;
  const progress progress_;

  mutable base::mutex mutex_;
  bool done_ = false;
  base::ref<object::dictionary> reply_;
  error_ref error_;
  completion completion_;
  base::ref<executor> where_;
  // How to take it back, once it has an id; what its answer holds of the channel's limits.
  base::ref<channel::channel> over_;
  std::uint64_t id_ = 0;
  channel::charge held_;
  // A thread in wait(): in the channel, or, without one, on the word.
  channel::waiter waiter_;
  base::ref<channel::channel> waits_in_;
  std::atomic<std::uint32_t> word_{0};
  bool sleeps_ = false;  ///< somebody sits on the word
  // The conversation's list of calls with a deadline that nobody blocks for; under its lock.
  call* next_ = nullptr;
  call* previous_ = nullptr;
  bool listed_ = false;
};

}  // namespace openxpc::connection
