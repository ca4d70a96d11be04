#pragma once

#include "control/control.hpp"
#include "supervise/supervisor.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "bundle/applications.hpp"
#include "handover/checker.hpp"
#include "handover/handover.hpp"

namespace openxpc::handover {

/// Signals that the xpcd before this one held back: now there is somebody to hear them.
void release_signals();

/// Makes this xpcd another one, in the same process: asks that program whether it can go on from
/// here, lets what is under way come to rest, and becomes it by exec. Until that moment everything
/// can be taken back.
class successor final : public control::manager {
 public:
  using answer = base::function<void(outcome<object_ref>)>;
  struct surroundings {
    std::vector<std::string> arguments;  // that it was started with, the first one left out
    std::chrono::seconds check_time{30};
    std::function<bool()> is_ending;         // it was told to end
    std::function<void()> leaving, staying;  // for whoever started it
  };

  /// All are lent and must outlive it. @param given  what resume() of the others got, or nullptr
  successor(asio::io_context& loop, const domain::directory& directory, supervise::supervisor& jobs,
            bundle::applications& applications, control::service& control, surroundings around,
            xpc_object_t given);

  void upgrade(const std::string& path, bool force, answer answered) override;
  object_ref upgraded() const override;
  void describe(xpc_object_t into) const override;

 private:
  void try_program(outcome<supervise::program> what, bool force);
  failure_of begin(outcome<supervise::program> what, bool force, bool* unchanged);
  void on_verdict(outcome<std::string> version);
  void become();
  trouble exec();
  void stay(const trouble& why);
  void finish(object_ref reply);
  outcome<base::fd> state_file(outgoing& kept) const;
  object_ref about(const char* result) const;

  asio::io_context& loop_;
  const domain::directory& directory_;
  supervise::supervisor& jobs_;
  bundle::applications& applications_;
  control::service& control_;
  surroundings around_;
  checker checker_;
  std::int64_t generation_ = 1;
  std::string program_;  // that it is to become
  base::fd file_;
  std::vector<answer> waiting_;
  std::string before_;  // the version that this one was
};

}  // namespace openxpc::handover
