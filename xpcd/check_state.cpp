#include "check_state.hpp"

#include "domain/location.hpp"
#include "supervise/supervisor.hpp"

#include <fcntl.h>
#include <sysexits.h>

#include <cerrno>
#include <cstdio>

#include "handover/checker.hpp"
#include "handover/handover.hpp"
#include "log.hpp"

namespace openxpc {

namespace {

outcome<std::size_t> jobs_handed_over(int borrowed_fd) {
  outcome<object_ref> state = handover::read(borrowed_fd);
  if (!state) return state.error();
  if (failure_of why = supervise::supervisor::wrong_with_handover(state->get())) return *why;
  return ::xpc_array_get_count(get_object(state->get(), "jobs"));
}

outcome<std::size_t> jobs_on_disk(const options& wanted) {
  outcome<domain::location> where = domain::locate(wanted.domain, wanted.system);
  if (!where) return where.error();
  const std::string path = where->directory + "/.run";
  const base::fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return system_trouble(errno, path);
  const supervise::run_state saved(directory.get());
  const std::vector<std::string> labels = saved.labels();
  for (const std::string& label : labels) {
    outcome<supervise::saved_job> job = saved.load(label);
    if (!job) return job.error();
    outcome<job::reading> reading = job::read(std::move(job->description), job->origin);
    if (!reading) return reading.error();
  }
  return labels.size();
}

}  // namespace

int check_state(const options& wanted) {
  outcome<std::size_t> jobs =
      wanted.handover_fd >= 0 ? jobs_handed_over(wanted.handover_fd) : jobs_on_disk(wanted);
  if (!jobs) {
    log_line(weight::error, jobs.error().text);
    return jobs.error().what == trouble::kind::not_found ? EX_NOINPUT : EX_DATAERR;
  }
  std::fputs(handover::words_of_the_fit(*jobs).c_str(), stdout);
  return EX_OK;
}

}  // namespace openxpc
