#include "bootstrap/activities.hpp"

#include "bootstrap/service_link.hpp"
#include "bootstrap/termination.hpp"
#include "connection/transactions.hpp"
#include "engine/engine.hpp"
#include "object/dictionary.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"
#include "object/value.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

// The service manager orders a run by its number (serial); what becomes of it goes back under that
// number, so that after a change of managers both know whether a run has been heard of. What was on
// its way when a manager went is lost; come_back() says everything anew.
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
  bool check_in = false;                // one in CHECK_IN is wanted
  bool asking = false;                  // the service manager is asked for the criteria first
  bool checked_in = false;              // it knows that the handler may be called
  bool run = false;                     // one in RUN is wanted
  bool busy = false;                    // between a run's begin and its end
  bool asked_to_defer = false;
  std::int64_t serial = 0;              // of the last run that was heard of
  const char* outcome = "ready";        // of that run
  connection::transaction transaction;  // while it runs (rule 190: also beyond the handler)
};

struct registry {
  std::mutex mutex;
  std::unordered_map<std::string, base::ref<entry>> all;
  /// The ends of runs that no later word of a registered activity would bring: by identifier.
  std::unordered_map<std::string, base::ref<object::dictionary>> last_words;
};
registry& all_activities() {
  static auto* forever = new registry;  // engine threads may outlive static destructors
  return *forever;
}

bool repeats(object::object* criteria) {
  auto* all = criteria ? object::as<object::dictionary>(criteria) : nullptr;
  if (!all) return false;
  const object::item said = all->find("Repeating");
  if (said.is(OPENXPC_TYPE_BOOL)) return said.to_bool();
  return static_cast<bool>(all->find("Interval"));
}

base::ref<object::dictionary> word_about(const char* verb, const std::string& identifier) {
  auto word = word_of(verb);
  word->set("identifier", object::string::copy_of(identifier));
  return word;
}

void add_state(object::dictionary& word, const entry& which) {
  const bool runs = which.busy || which.run;
  word.set("state", object::string::copy_of(runs ? "running" : which.outcome));
  word.set("serial", object::make_int64(which.serial));
}

void add_criteria(object::dictionary& word, const object::activity& which) {
  if (auto criteria = which.criteria()) word.set("criteria", std::move(criteria));
}

base::ref<entry> registered(const object::activity& which) {
  auto at = all_activities().all.find(which.identifier());
  return at != all_activities().all.end() && at->second->activity.get() == &which ? at->second
                                                                                  : nullptr;
}

void call(const base::ref<entry>& which);

/// Has the function called soon, unless that is coming anyway. Under the lock.
void want_call(const base::ref<entry>& which) {
  if (std::exchange(which->calling, true)) return;
  engine::post([which] { call(which); });
}

/// The end of a run, once the handler has returned and the work that outlives it is over. Whoever
/// comes first does it.
void settle(const base::ref<entry>& which) {
  connection::transaction over;  // ends behind the lock
  base::ref<object::dictionary> word;
  {
    std::lock_guard lock(all_activities().mutex);
    if (!which->busy) return;
    object::activity& it = *which->activity;
    it.move(activity_state::run, activity_state::done);  // rule 191
    const activity_state now = it.state();
    if (now == activity_state::go_on) return;
    which->busy = false;
    which->outcome = now == activity_state::defer ? "deferred" : "done";
    over = std::move(which->transaction);
    const bool finished = now == activity_state::done && !repeats(it.criteria().get());
    const bool is_here = registered(it) == which;
    if (is_here) {
      word = word_about("activity-state", it.identifier());
      add_state(*word, *which);
    }
    if (finished) {
      it.set_criteria(nullptr);  // rule 197
      if (is_here) {
        all_activities().all.erase(it.identifier());
        all_activities().last_words[it.identifier()] = word;
      }
    } else {
      it.move(now, activity_state::wait);
    }
  }
  if (!word) return;
  ask_manager(*word, [word](base::ref<object::dictionary> reply) {
    if (!reply) return;  // said again when there is one that hears it
    std::lock_guard lock(all_activities().mutex);
    std::erase_if(all_activities().last_words,
                  [&](const auto& each) { return each.second == word; });
  });
}

void call(const base::ref<entry>& which) {
  for (;;) {
    base::ref<registered_function> told;
    bool checks_in = false;
    object::activity& it = *which->activity;
    {
      std::lock_guard lock(all_activities().mutex);
      told = which->told;
      checks_in = which->check_in && !which->busy;
      if (!told || (!checks_in && !which->run)) {
        which->calling = false;
        return;
      }
      if (checks_in) {
        which->check_in = false;
        for (auto from : {activity_state::wait, activity_state::done})
          it.move(from, activity_state::check_in);
      } else {
        which->run = false;
        which->busy = true;
        which->asked_to_defer = false;
        which->transaction = connection::transaction::begin();
        it.move(activity_state::wait, activity_state::run);
      }
    }
    told->call(it);
    if (!checks_in) {
      settle(which);
      continue;
    }
    base::ref<object::dictionary> word;
    {
      std::lock_guard lock(all_activities().mutex);
      it.move(activity_state::check_in, activity_state::wait);
      which->checked_in = true;
      if (registered(it) == which) {
        word = word_about("activity-state", it.identifier());
        add_state(*word, *which);
        add_criteria(*word, it);
      }
    }
    if (word) tell_manager(*word);
  }
}

/// Tells the service manager of it. With CHECK_IN the handler is called once the criteria are here.
void announce(const base::ref<entry>& which, bool checks_in) {
  auto word = word_about("activity-register", which->activity->identifier());
  if (!checks_in) {
    {
      std::lock_guard lock(all_activities().mutex);
      add_criteria(*word, *which->activity);
      add_state(*word, *which);
      which->checked_in = true;
    }
    word->set("again", base::ref<object::object>::share(object::the_bool(true)));
    return tell_manager(*word);
  }
  ask_manager(*word, [which](base::ref<object::dictionary> reply) {
    std::lock_guard lock(all_activities().mutex);
    if (!which->asking) return;
    if (!reply) return;  // asked again when there is one that answers
    which->asking = false;
    object::object* kept = reply->get("criteria");
    if (kept) which->activity->set_criteria(object::copy(*kept));
    which->check_in = true;
    want_call(which);
  });
}

/// Another service manager: it knows what the one before had kept, but not what was under way.
void come_back() {
  std::vector<std::pair<base::ref<entry>, bool>> all;
  std::vector<base::ref<object::dictionary>> words;
  {
    std::lock_guard lock(all_activities().mutex);
    for (auto& [identifier, each] : all_activities().all) all.emplace_back(each, each->asking);
    for (auto& [identifier, word] : all_activities().last_words) words.push_back(word);
  }
  for (auto& word : words) tell_manager(*word);
  for (auto& [each, asks] : all) announce(each, asks);
}

void run_ordered(object::dictionary& order) {
  auto* identifier = object::as<object::string>(order.get("identifier"));
  const object::item serial = order.find("serial");
  if (!identifier || !serial.is(OPENXPC_TYPE_INT64)) return;
  std::lock_guard lock(all_activities().mutex);
  auto at = all_activities().all.find(std::string(identifier->text()));
  if (at == all_activities().all.end()) return;
  entry& which = *at->second;
  const auto number = static_cast<std::int64_t>(serial.to_bits());
  if (number <= which.serial || which.busy) return;
  which.serial = number;
  which.run = true;
  want_call(at->second);
}

void defer_ordered(object::dictionary& order) {
  auto* identifier = object::as<object::string>(order.get("identifier"));
  if (!identifier) return;
  std::lock_guard lock(all_activities().mutex);
  auto at = all_activities().all.find(std::string(identifier->text()));
  if (at != all_activities().all.end()) at->second->asked_to_defer = true;
}

bool has_manager() {
  static std::once_flag once;
  std::call_once(once, [] {
    on_order("activity-run", &run_ordered);
    on_order("activity-defer", &defer_ordered);
    when_link_came_back(&come_back);
  });
  return is_linked();
}

}  // namespace

void register_activity(const std::string& identifier, object::ref<object::object> criteria,
                       activity_function told) {
  const bool linked = has_manager();
  auto function = base::make_ref<registered_function>(std::move(told));
  const bool checks_in = !criteria;
  base::ref<entry> place;
  {
    std::lock_guard lock(all_activities().mutex);
    auto& at = all_activities().all[identifier];
    if (!at) {
      if (checks_in) criteria = object::dictionary::create();
      auto state = checks_in ? activity_state::check_in : activity_state::wait;
      at = base::make_ref<entry>(
          base::make_ref<object::activity>(identifier, std::move(criteria), state));
    } else if (!checks_in) {
      at->activity->set_criteria(std::move(criteria));
    }
    std::swap(at->told, function);
    place = at;
    if (checks_in && linked) {
      place->asking = true;
    } else if (checks_in) {
      place->check_in = true;
      want_call(place);
    }
  }
  if (linked) announce(place, checks_in);
}

void unregister_activity(const std::string& identifier) {
  base::ref<entry> gone;
  base::ref<registered_function> function;
  {
    std::lock_guard lock(all_activities().mutex);
    auto at = all_activities().all.find(identifier);
    if (at == all_activities().all.end()) return;
    gone = std::move(at->second);
    all_activities().all.erase(at);
    gone->asking = false;
    function = std::move(gone->told);
  }
  if (has_manager()) tell_manager(*word_about("activity-forget", identifier));
}

void set_activity_criteria(object::activity& which, object::ref<object::object> criteria) {
  base::ref<object::dictionary> word;
  {
    std::lock_guard lock(all_activities().mutex);
    which.set_criteria(std::move(criteria));
    auto here = registered(which);
    // In CHECK_IN they go with the word that it is over.
    if (!here || !here->checked_in || which.state() == activity_state::check_in) return;
    word = word_about("activity-state", which.identifier());
    add_state(*word, *here);
    add_criteria(*word, which);
  }
  if (has_manager()) tell_manager(*word);
}

bool ask_activity(object::activity& which, activity_state wanted) {
  base::ref<entry> here;
  {
    std::lock_guard lock(all_activities().mutex);
    if (!which.ask(wanted)) return false;
    here = registered(which);
    // A handler that is still running settles it.
    if (!here || here->calling) return true;
  }
  settle(here);
  return true;
}

bool activity_should_defer(const object::activity& which) {
  const activity_state now = which.state();
  if (now != activity_state::run && now != activity_state::go_on) return false;
  std::lock_guard lock(all_activities().mutex);
  auto here = registered(which);
  return here && (here->asked_to_defer || termination_requested());
}

}  // namespace openxpc::bootstrap
