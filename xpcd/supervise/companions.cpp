// What goes along with jobs: activities and event streams, and what services say over their links
// beside check-in.

#include "supervise/supervisor.hpp"

#include "activity/activities.hpp"
#include "events/streams.hpp"

namespace openxpc::supervise {

void supervisor::add_companions() {
  activities_ = std::make_unique<activity::activities>(loop_, *this, lasting_);
  streams_ = std::make_unique<events::streams>(loop_, *this, saved_.borrowed_fd());
}

std::array<companion*, 2> supervisor::companions() const noexcept {
  return {activities_.get(), streams_.get()};
}

bool supervisor::wake(const std::string& label) {
  job_ref job = find(label);
  if (!job) return false;
  if (job->at == state::idle) apply(job, event::activity);
  if (job->at == state::throttled) {
    job->want = wish::keep;
    return true;
  }
  return has_process(job->at) && job->at != state::removing;
}

bool supervisor::send(const std::string& label, xpc_object_t message) const {
  job_ref job = find(label);
  return job && job->run && job->run->link.send(message);
}

outcome<std::optional<credentials>> supervisor::identity_of(const std::string& label) const {
  job_ref job = find(label);
  if (!job || !directory_.is_system()) return std::optional<credentials>();
  return credentials_of(job->job.process);
}

outcome<std::string> supervisor::hear(pid_t pid, job_link link) {
  settle_newborn(pid);
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  if (!job || !job->run) {
    return trouble{trouble::kind::denied,
                   "process " + std::to_string(pid) + " is not that of any job here"};
  }
  if (job->run->id.pid == pid && !job->run->link) job->run->link = std::move(link);
  return at->second;
}

void supervisor::note_transactions(pid_t pid, std::int64_t count) {
  settle_newborn(pid);
  auto at = processes_.find(pid);
  job_ref job = at == processes_.end() ? nullptr : find(at->second);
  if (job && job->run && job->run->id.pid == pid) job->run->transactions = count;
}

}  // namespace openxpc::supervise
