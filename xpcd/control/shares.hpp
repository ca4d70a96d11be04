#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

/// How many conversations with the control interface somebody may have open at a time (threat T49):
/// each takes descriptors of xpcd's, and one user's must not keep another's out. Clients that have
/// not said hello are counted apart, by the library.
namespace openxpc::control {

/// Threads: all.
class shares {
 public:
  struct limits {
    std::size_t each = 4096;        // of one user
    std::size_t others = 16384;     // of all users together but root and the owner, in equal shares
    std::size_t always = 8;         // what a user may have however many others there are
    std::size_t of_a_process = 64;  // of a job, which takes nothing of its user's share
  };
  /// Counts as long as it lives.
  class place {
   public:
    place(std::shared_ptr<shares> of, uid_t user, pid_t process)
        : of_(std::move(of)), user_(user), process_(process) {}
    ~place() { of_->leave(user_, process_); }
    place(const place&) = delete;
    place& operator=(const place&) = delete;

   private:
    const std::shared_ptr<shares> of_;
    const uid_t user_;
    const pid_t process_;  // 0: counted by its user
  };
  struct client {
    uid_t user = 0;
    pid_t process_of_job = 0;  // 0: not of a job
    bool privileged = false;   // root or the owner: others do not make its share smaller
  };

  shares() = default;
  explicit shares(limits how) noexcept : how_(how) {}

  /// @param descriptors  how many this process may have: a quarter of them at most is one user's,
  /// at two for each conversation
  /// @param why  why there is none
  static std::unique_ptr<place> admit(const std::shared_ptr<shares>& of, const client& who,
                                      std::size_t descriptors, std::string* why);

 private:
  std::size_t most_of(const client& who, std::size_t descriptors) const;
  void leave(uid_t user, pid_t process) noexcept;

  const limits how_ = {};
  std::mutex mutex_;
  std::unordered_map<uid_t, std::size_t> users_;  // no user with none
  std::unordered_map<pid_t, std::size_t> processes_;
};

}  // namespace openxpc::control
