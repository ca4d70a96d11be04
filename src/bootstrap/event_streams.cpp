#include "bootstrap/event_streams.hpp"

#include "bootstrap/service_link.hpp"
#include "connection/transactions.hpp"
#include "engine/engine.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"
#include "object/value.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace openxpc::bootstrap {
namespace {

/// What this process has or had of one event, by its number.
enum class progress : std::uint8_t { handling, handled };

struct reader {
  base::ref<connection::executor> where;
  std::shared_ptr<event_function> told;
};
struct registry {
  std::mutex mutex;
  std::unordered_map<std::string, reader> all;
  /// A new service manager hands over again what it does not know to be handled.
  std::unordered_map<std::int64_t, progress> seen;
  std::deque<std::int64_t> order;
  /// Set by this process, for a new service manager: what has a descriptor was not kept.
  std::map<std::pair<std::string, std::string>, base::ref<object::dictionary>> set;
};
registry& all_streams() {
  static auto* forever = new registry;  // engine threads may outlive static destructors
  return *forever;
}

/// More than a service manager has under way with one job.
constexpr std::size_t most_remembered = 4096;

void say_handled(std::int64_t id) {
  auto word = word_of("event-handled");
  word->set("id", object::make_int64(id));
  tell_manager(*word);
}

void handle(const std::shared_ptr<event_function>& told, object::object& event, std::int64_t id) {
  (*told)(event);
  {
    std::lock_guard lock(all_streams().mutex);
    auto at = all_streams().seen.find(id);
    if (at != all_streams().seen.end()) at->second = progress::handled;
  }
  say_handled(id);
}

void event_came(object::dictionary& order) {
  auto* stream = object::as<object::string>(order.get("stream"));
  object::object* event = order.get("event");
  const object::item number = order.find("id");
  if (!stream || !event || event->what() != OPENXPC_TYPE_DICTIONARY ||
      !number.is(OPENXPC_TYPE_INT64))
    return;
  const auto id = static_cast<std::int64_t>(number.to_bits());
  reader to;
  {
    std::lock_guard lock(all_streams().mutex);
    auto at = all_streams().all.find(std::string(stream->text()));
    if (at == all_streams().all.end()) return;
    to = at->second;
    auto [known, is_new] = all_streams().seen.try_emplace(id, progress::handling);
    if (!is_new) {
      if (known->second == progress::handled) say_handled(id);
      return;
    }
    all_streams().order.push_back(id);
    if (all_streams().order.size() > most_remembered) {
      all_streams().seen.erase(all_streams().order.front());
      all_streams().order.pop_front();
    }
  }
  // What is being handled keeps the process, as a client's message does.
  auto work = [told = std::move(to.told), kept = base::ref<object::object>::share(event), id,
               busy = connection::transaction::begin()] { handle(told, *kept, id); };
  if (to.where) {
    to.where->post(std::move(work));
  } else {
    engine::post(std::move(work));
  }
}

void listen(const std::string& stream) {
  auto word = word_of("event-listen");
  word->set("stream", object::string::copy_of(stream));
  tell_manager(*word);
}

void tell_set(const std::string& stream, const std::string& name, object::dictionary* event) {
  auto word = word_of("event-set");
  word->set("stream", object::string::copy_of(stream));
  word->set("name", object::string::copy_of(name));
  if (event) word->set("event", base::ref<object::object>::share(event));
  tell_manager(*word);
}

void come_back() {
  std::vector<std::string> streams;
  decltype(registry::set) set;
  {
    std::lock_guard lock(all_streams().mutex);
    for (auto& [stream, told] : all_streams().all) streams.push_back(stream);
    set = all_streams().set;
  }
  for (auto& [where, event] : set) tell_set(where.first, where.second, event.get());
  for (auto& stream : streams) listen(stream);
}

bool has_manager() {
  static std::once_flag once;
  std::call_once(once, [] {
    on_order("event", &event_came);
    when_link_came_back(&come_back);
  });
  return is_linked();
}

}  // namespace

bool set_event_stream(const std::string& stream, base::ref<connection::executor> where,
                      event_function told) {
  const bool linked = has_manager();
  {
    std::lock_guard lock(all_streams().mutex);
    auto function = std::make_shared<event_function>(std::move(told));
    if (!all_streams()
             .all.try_emplace(stream, reader{std::move(where), std::move(function)})
             .second)
      return false;
  }
  if (linked) listen(stream);
  return true;
}

void set_event(const std::string& stream, const std::string& name,
               base::ref<object::dictionary> event) {
  if (!has_manager()) return;
  {
    std::lock_guard lock(all_streams().mutex);
    if (event) {
      all_streams().set[{stream, name}] = event;
    } else {
      all_streams().set.erase({stream, name});
    }
  }
  tell_set(stream, name, event.get());
}

base::ref<object::object> copy_event(const std::string& stream, const std::string& name) {
  if (!has_manager()) return nullptr;
  auto word = word_of("event-copy");
  word->set("stream", object::string::copy_of(stream));
  word->set("name", object::string::copy_of(name));
  auto reply = ask_manager_and_wait(*word);
  object::object* event = reply ? reply->get("event") : nullptr;
  return event ? object::copy(*event) : nullptr;
}

}  // namespace openxpc::bootstrap
