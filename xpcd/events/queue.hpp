#pragma once

#include "job/object.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

/// Events on their way to jobs: which are to be handed over, and which were handled. Decides and
/// does nothing.
namespace openxpc::events {

struct event {
  std::int64_t id = 0;
  std::string stream, name;
  std::size_t bytes = 0;  // of the content, in the run state
  object_ref content;     // a dictionary
  bool lasts = true;      // false: it has a descriptor, and happens again after a restart
  bool sent = false;      // to the present process
};

/// The events of one job, in their order. Each stays until the job's process has handled it: what
/// was handed to a process that ended is handed to the next one.
class queue {
 public:
  static constexpr std::size_t most_events = 1024;
  static constexpr std::size_t most_bytes = 2 << 20;
  static constexpr std::size_t most_streams = 256;

  /// Whether one more of that size may be added.
  bool has_room(std::size_t bytes) const noexcept {
    return all_.size() < most_events && bytes <= most_bytes - bytes_;
  }
  /// False when there is no room: nothing was added.
  bool add(event what);
  /// The process reads this stream from now on.
  /// False when it reads too many.
  bool listen(const std::string& stream);
  /// The process is gone, or a new xpcd does not know what it has.
  void forget_process();
  /// Its handler has returned. Nothing for an id that is not there.
  event take(std::int64_t id);
  /// Those of one name, since the job does not want them any more.
  void drop(const std::string& stream, const std::string& name);
  /// Whether there is one of that name that nobody has got yet.
  bool has_unsent(const std::string& stream, const std::string& name) const;
  /// The next to send; nullptr when there is none that the process reads, or it has one of each
  /// stream. Marks it as sent.
  const event* next();
  /// One that the process does not read (yet), or that waits for a process.
  bool has_unread() const;
  /// The process has one that it has not handled.
  bool has_sent() const;

  bool empty() const noexcept { return all_.empty(); }
  std::size_t size() const noexcept { return all_.size(); }
  const std::deque<event>& all() const noexcept { return all_; }

 private:
  std::deque<event> all_;
  std::size_t bytes_ = 0;
  std::set<std::string> listening_;
};

}  // namespace openxpc::events
