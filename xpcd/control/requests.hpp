#pragma once

#include "control/verbs.hpp"

#include <deque>
#include <string>
#include <vector>

/// Requests that carry an id are done once, however often they are asked for: who heard no answer,
/// because xpcd or the connection ended, asks again.
namespace openxpc::control {

class requests {
 public:
  /// @param borrowed_run_fd the directory of the run state; must outlive this. Reads what an xpcd
  /// before this one left there.
  explicit requests(int borrowed_run_fd);

  /// Calls `perform` with where to answer, unless this was done (then the answer is the first one)
  /// or is being done (then it is that one). What failed changed nothing, and is tried again.
  /// @param id       chosen by the client
  /// @param subject  of the request: the same id with another subject is another request
  /// @param op       what an earlier xpcd may have done without having noted its end is done again;
  ///                 for "bootout" a job that is gone then is one that was there
  template <class F>
  void run(const std::string& id, const std::string& op, const std::string& subject, F perform,
           answer answered) {
    bool begun_before = false;
    if (join(id, op + " " + subject, answered, &begun_before)) return;
    perform(finish(id, op, subject, begun_before, std::move(answered)));
  }
  /// Begun, and not ended: for the xpcd that this one becomes, which tells them apart from what one
  /// that was killed had begun.
  object_ref under_way() const;
  void carry(xpc_object_t under_way);
  bool is_carried(const std::string& id, const std::string& op, const std::string& subject) const;
  /// They end with the domain.
  void forget_all() const noexcept;

 private:
  struct entry {
    std::string id, subject;
    object_ref reply;        // nullptr: begun, and no end is known
    bool under_way = false;  // by this xpcd
    bool carried = false;    // from what this one was before an exec
    std::vector<answer> waiting;
  };

  entry* find(const std::string& id, const std::string& subject);
  bool join(const std::string& id, const std::string& subject, answer& answered,
            bool* begun_before);
  answer finish(const std::string& id, const std::string& op, const std::string& subject,
                bool begun_before, answer answered);
  void end(const std::string& id, const std::string& subject, const outcome<object_ref>& result);
  void load();
  void save() const;

  int directory_;
  std::deque<entry> all_;  // the oldest first
};

}  // namespace openxpc::control
