#pragma once

#include "base/fd.hpp"
#include "supervise/supervised.hpp"

#include <memory>
#include <optional>

#include "events/streams.hpp"

namespace openxpc::events {

/// One name in one stream.
struct streams::entry {
  entry(asio::io_context& loop, std::string job) : label(std::move(job)), readable(loop) {}
  ~entry() { readable.stop(); }

  const std::string label;
  place where;
  job::event_source from = job::event_source::adapter;
  object_ref content;  // what it is to match, as it was given
  std::string path;
  bool from_description = false;
  base::fd file;  // watched for readiness
  supervise::watch readable;
  std::optional<supervise::path_watcher::handle> watched;
  std::string trouble;  // why it is not watched
  /// Of the last look at the path: it goes when nobody waits for that any more.
  std::shared_ptr<entry*> look;
};

/// How much of the run state something takes; a descriptor in it is left out. Errors: it cannot be
/// kept, or is larger than `most`.
outcome<std::size_t> size_of(xpc_object_t content, std::size_t most);

/// What a job wants, and what waits for it. Only jobs with entries have one.
struct streams::job_events {
  job_events(asio::io_context& loop, std::string name) : label(std::move(name)), later(loop) {}

  const std::string label;
  std::map<place, std::unique_ptr<entry>> entries;
  queue waiting;
  bool woke = false;      // its process was started because of an event
  unsigned attempts = 0;  // processes that ended without having handled one
  asio::steady_timer later;
};

}  // namespace openxpc::events
