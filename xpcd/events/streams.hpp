#pragma once

#include "job/event_entry.hpp"
#include "job/outcome.hpp"
#include "supervise/companion.hpp"
#include "supervise/path_watcher.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "events/queue.hpp"
#include "handover/handover.hpp"

namespace openxpc::supervise {
class supervisor;
}

/// The event streams of a domain: who wants which events, where they come from, and that each gets
/// to a process of its job.
namespace openxpc::events {

class streams final : public supervise::companion {
 public:
  /// All are lent and must outlive it. @param borrowed_run_fd  the directory of the run state
  streams(asio::io_context& loop, supervise::supervisor& jobs, int borrowed_run_fd);
  ~streams() override;
  streams(const streams&) = delete;
  streams& operator=(const streams&) = delete;

  // --- What a job's process says (docs/design/service-link.md) ---
  /// {stream}: its handler is there.
  failure_of take_listen(const std::string& label, xpc_object_t message);
  /// {id}: the handler has returned.
  failure_of take_handled(const std::string& label, xpc_object_t message);
  /// {stream, name, event?}: what it wants to be told of from now on; without event no more.
  failure_of take_set(const std::string& label, xpc_object_t message);
  /// {stream, name}: what it has set. {event?} in return.
  outcome<object_ref> take_copy(const std::string& label, xpc_object_t message) const;

  // --- Verbs ---
  /// Hands an event to every job that has an entry of that name in that stream. Returns how many.
  /// Errors: not_found (no job has one), bad_input (xpcd itself publishes that stream), unavailable
  /// (a job has too many waiting: none got it).
  outcome<std::size_t> publish(const std::string& stream, const std::string& name,
                               xpc_object_t content);
  /// What jobs want of a stream, for those who publish into it: {label, name, event} each.
  object_ref subscribers(const std::string& stream) const;

  /// What is not in the run state, for the xpcd that this one becomes by exec: which paths are
  /// watched, and the descriptors that programs gave. There the first is taken before the jobs
  /// arrive, the second after it.
  void hand_over(xpc_object_t into, handover::outgoing& out) const;
  void resume_watches(xpc_object_t given, handover::incoming& in);
  void resume(xpc_object_t given, handover::incoming& in);

  // --- companion ---
  void arrived(const job::description& job, bool taken_over) override;
  void left(const std::string& label) override;
  void process_ended(const std::string& label) override;
  void describe(const std::string& label, xpc_object_t into) const override;

 private:
  struct entry;
  struct job_events;
  using place = std::pair<std::string, std::string>;  // stream and name
  using job_ref = std::shared_ptr<job_events>;

  job_ref find(const std::string& label) const;
  job_events& need(const std::string& label);
  failure_of set_entry(const std::string& label, const place& where, xpc_object_t content,
                       bool from_description);
  void remove_entry(job_events& job, const place& where);
  void begin(entry& one);
  void open_path(entry& one);
  void on_opened(entry& one, outcome<base::fd> opened);
  void watch_file(entry& one);
  void on_readable(const std::string& label, const place& where);
  void on_path(const std::string& label, const place& where);
  bool add(job_events& job, const entry& one, object_ref content, bool lasts,
           std::size_t bytes = 0);
  void deliver(job_events& job);
  void wake_later(job_events& job);
  void save(const job_events& job) const;
  void load(job_events& job);

  asio::io_context& loop_;
  supervise::supervisor& jobs_;
  const int run_fd_;
  supervise::path_watcher watcher_;
  std::map<std::string, job_ref> all_;  // by label
  std::shared_ptr<streams*> self_;
};

}  // namespace openxpc::events
