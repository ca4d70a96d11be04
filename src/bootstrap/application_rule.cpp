#include "bootstrap/application_rule.hpp"

#include "base/fd.hpp"
#include "base/poll_now.hpp"
#include "bootstrap/variable.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <string>

namespace openxpc::bootstrap {
namespace {

/// While the application is alive its number is its own, so one number and one poll are enough.
class only_application final : public connection::admission {
 public:
  only_application(pid_t pid, base::fd process) : pid_(pid), process_(std::move(process)) {}
  connection::error_ref judge(int borrowed_client) override {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(borrowed_client, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) who.pid = 0;
    if (who.pid == pid_ && is_alive()) return nullptr;
    return connection::make_error(
        OPENXPC_ERROR_DENIED,
        "this service is private to process " + std::to_string(pid_) +
            (who.pid == pid_ ? ", which is gone"
                             : ", and process " + std::to_string(who.pid) + " is another"));
  }

 private:
  bool is_alive() const noexcept { return !base::has_ended(process_.get()); }
  const pid_t pid_;
  const base::fd process_;
};

}  // namespace

base::ref<connection::admission> application_rule() {
  static auto* rule = [] {
    auto* made = new base::ref<connection::admission>;
    const int pid = number_in("OPENXPC_APPLICATION");
    const int process = number_in("OPENXPC_APPLICATION_FD");
    if (pid <= 0) return made;
    // Without the descriptor nobody is let in: the rule fails closed.
    const bool there = process > STDERR_FILENO && ::fcntl(process, F_SETFD, FD_CLOEXEC) == 0;
    *made = base::make_ref<only_application>(pid, base::fd(there ? process : -1));
    return made;
  }();
  return *rule;
}

}  // namespace openxpc::bootstrap
