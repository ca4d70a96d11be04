#include "bootstrap/unit_notify.hpp"

#include "base/clock.hpp"
#include "base/notify_socket.hpp"
#include "bootstrap/termination.hpp"
#include "engine/timer.hpp"

#include <mutex>

namespace openxpc::bootstrap {
namespace {

class heartbeat {
 public:
  explicit heartbeat(const base::notify_socket& who)
      : who_(who), timer_(engine::any_loop(), [this] { beat(); }) {
    beat();
  }

 private:
  void beat() {
    who_.tell("WATCHDOG=1");
    timer_.schedule(base::from_now(who_.sign_of_life()));
  }
  const base::notify_socket& who_;
  engine::timer timer_;
};

}  // namespace

void tell_unit_ready() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Both live as long as the engine's threads, which may outlive static destructors.
    static const auto* const who = new base::notify_socket;
    if (!*who) return;
    who->tell("READY=1");
    // Before the program knows: its main function may return at once.
    before_termination([] { who->tell("STOPPING=1"); });
    if (who->sign_of_life().count() > 0) {
      [[maybe_unused]] static const auto* const alive = new heartbeat(*who);
    }
  });
}

}  // namespace openxpc::bootstrap
