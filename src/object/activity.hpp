#pragma once

#include "object/object.hpp"

#include <array>
#include <mutex>
#include <string>

namespace openxpc::object {

/// Where an activity is; the numbers of <xpc/activity.h>.
enum class activity_state : std::uint8_t { check_in, wait, run, defer, go_on, done };
inline constexpr std::size_t activity_states = 6;

/// Whether a program may ask for `wanted` while the activity is in `now` (rule 188).
bool activity_may_ask(activity_state now, activity_state wanted) noexcept;

/// Work that waits for its time: what an xpc_activity_t points to. Threads: any member from any
/// thread.
class activity final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_ACTIVITY;
  /// @param criteria  a dictionary that nobody else changes.
  activity(std::string identifier, ref<object> criteria, activity_state state)
      : object(its_kind),
        identifier_(std::move(identifier)),
        criteria_(std::move(criteria)),
        state_(state) {}

  const std::string& identifier() const noexcept { return identifier_; }
  /// Null when it is done for good.
  ref<object> criteria() const;
  void set_criteria(ref<object> changed);
  activity_state state() const;
  /// What the program asks for; false where it is no step.
  bool ask(activity_state wanted);
  /// What the library does: from one state to another, false if it is in another one.
  bool move(activity_state from, activity_state to);
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override { delete this; }
  const std::string identifier_;
  mutable std::mutex mutex_;
  ref<object> criteria_;
  activity_state state_;
};

}  // namespace openxpc::object
