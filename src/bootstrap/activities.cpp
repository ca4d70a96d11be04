#include "bootstrap/activities.hpp"

#include "engine/engine.hpp"
#include "object/dictionary.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace openxpc::bootstrap {
namespace {

using object::activity_state;

/// A program's function, kept while it runs whatever becomes of the registration.
struct registered_function final : base::counted {
  explicit registered_function(activity_function told) : call(std::move(told)) {}
  const activity_function call;
};

struct entry final : base::counted {
  explicit entry(object::ref<object::activity> what) : activity(std::move(what)) {}
  const object::ref<object::activity> activity;
  base::ref<registered_function> told;  // null: unregistered
  bool calling = false;                 // a call is under way or posted
  bool again = false;                   // another one is wanted behind it
};

struct registry {
  std::mutex mutex;
  std::unordered_map<std::string, base::ref<entry>> all;
};
registry& all_activities() {
  static auto* forever = new registry;  // engine threads may outlive static destructors
  return *forever;
}

void call(const base::ref<entry>& which) {
  for (;;) {
    base::ref<registered_function> told;
    {
      std::lock_guard lock(all_activities().mutex);
      which->again = false;
      told = which->told;
      if (!told) {
        which->calling = false;
        return;
      }
    }
    for (auto from : {activity_state::wait, activity_state::done})
      which->activity->move(from, activity_state::check_in);
    told->call(*which->activity);
    which->activity->move(activity_state::check_in, activity_state::wait);
    std::lock_guard lock(all_activities().mutex);
    if (!which->again) {
      which->calling = false;
      return;
    }
  }
}

}  // namespace

void register_activity(const std::string& identifier, object::ref<object::object> criteria,
                       activity_function told) {
  auto function = base::make_ref<registered_function>(std::move(told));
  base::ref<entry> to_call;
  {
    std::lock_guard lock(all_activities().mutex);
    auto& place = all_activities().all[identifier];
    const bool checks_in = !criteria;
    if (!place) {
      if (checks_in) criteria = object::dictionary::create();
      auto state = checks_in ? activity_state::check_in : activity_state::wait;
      place = base::make_ref<entry>(
          base::make_ref<object::activity>(identifier, std::move(criteria), state));
    } else if (!checks_in) {
      place->activity->set_criteria(std::move(criteria));
    }
    std::swap(place->told, function);
    if (checks_in && place->calling) {
      place->again = true;
    } else if (checks_in) {
      place->calling = true;
      to_call = place;
    }
  }
  if (to_call) engine::post([to_call] { call(to_call); });
}

void unregister_activity(const std::string& identifier) {
  base::ref<entry> gone;
  base::ref<registered_function> function;
  std::lock_guard lock(all_activities().mutex);
  auto at = all_activities().all.find(identifier);
  if (at == all_activities().all.end()) return;
  gone = std::move(at->second);
  all_activities().all.erase(at);
  function = std::move(gone->told);
}

}  // namespace openxpc::bootstrap
