#include "activity/book.hpp"

#include "job/name.hpp"
#include "job/reader.hpp"
#include "supervise/state_file.hpp"

#include <dirent.h>
#include <unistd.h>

namespace openxpc::activity {

namespace {

constexpr std::string_view prefix = "activities-", suffix = ".plist";

std::string file_of(const std::string& label) {
  return std::string(prefix) + label + std::string(suffix);
}

bool read_entry(xpc_object_t from, entry* out) {
  xpc_object_t criteria = get_object(from, "Criteria");
  const std::optional<std::int64_t> serial = get_integer(from, "Serial");
  const std::optional<std::int64_t> period = get_integer(from, "PeriodMilliseconds");
  const std::optional<std::int64_t> runs = get_integer(from, "Runs");
  if (criteria == nullptr || !job::is(criteria, OPENXPC_TYPE_DICTIONARY) || !serial ||
      *serial < 0 || !period || !runs || *runs < 0) {
    return false;
  }
  out->criteria = object_ref(::xpc_copy(criteria));
  out->from_description = get_bool(from, "FromDescription").value_or(false);
  out->unregistered = get_bool(from, "Unregistered").value_or(false);
  out->running = get_bool(from, "Running").value_or(false);
  out->serial = static_cast<std::uint64_t>(*serial);
  out->period_ms = *period;
  out->runs = static_cast<std::uint64_t>(*runs);
  return true;
}

}  // namespace

object_ref pack(const entries& all) {
  object_ref whole = new_dictionary();
  for (const auto& [identifier, one] : all) {
    object_ref made = new_dictionary();
    set(made.get(), "Criteria", retain(one.criteria.get()));
    set_bool(made.get(), "FromDescription", one.from_description);
    set_bool(made.get(), "Unregistered", one.unregistered);
    set_bool(made.get(), "Running", one.running);
    set(made.get(), "Serial", static_cast<std::int64_t>(one.serial));
    set(made.get(), "PeriodMilliseconds", one.period_ms);
    set(made.get(), "Runs", static_cast<std::int64_t>(one.runs));
    set(whole.get(), identifier, std::move(made));
  }
  return whole;
}

outcome<entries> unpack(xpc_object_t all, const std::string& named) {
  entries result;
  bool good = all != nullptr && job::is(all, OPENXPC_TYPE_DICTIONARY);
  if (good) {
    job::each_entry(all, [&](const std::string& identifier, xpc_object_t value) {
      good =
          good && job::is(value, OPENXPC_TYPE_DICTIONARY) && read_entry(value, &result[identifier]);
    });
  }
  if (!good) return trouble{trouble::kind::bad_input, named + ": is not a list of activities"};
  return result;
}

book::book(const supervise::lasting_state& where) : where_(where) {
  outcome<base::fd> directory = where_.open(false);
  DIR* stream = directory ? ::fdopendir(directory->get()) : nullptr;
  if (stream == nullptr) return;
  (void)directory->release();
  while (const dirent* file = ::readdir(stream)) {
    std::string_view name(file->d_name);
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
      continue;
    }
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    if (!job::wrong_with_name(name)) known_.emplace(name);
  }
  ::closedir(stream);
}

outcome<entries> book::load(const std::string& label) const {
  if (known_.count(label) == 0) return entries();
  outcome<base::fd> directory = where_.open(false);
  if (!directory) return directory.error();
  const std::string name = file_of(label);
  outcome<object_ref> all = supervise::read_plist(directory->get(), name, name);
  if (!all) return all.error();
  return unpack(all->get(), name);
}

failure_of book::save(const std::string& label, const entries& all) {
  const std::string name = file_of(label);
  if (all.empty() && known_.count(label) == 0) return std::nullopt;
  outcome<base::fd> directory = where_.open(true);
  if (!directory) return directory.error();
  if (all.empty()) {
    if (::unlinkat(directory->get(), name.c_str(), 0) < 0 && errno != ENOENT)
      return system_trouble(errno, "lasting state " + name);
    known_.erase(label);
    return std::nullopt;
  }
  const object_ref whole = pack(all);
  if (failure_of why = supervise::write_plist(directory->get(), name, whole.get(), "lasting state"))
    return why;
  known_.insert(label);
  return std::nullopt;
}

}  // namespace openxpc::activity
