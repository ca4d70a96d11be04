#include "job/activity.hpp"

namespace openxpc::job {

namespace {

constexpr const char* not_evaluated[] = {"AllowBattery", "RequireScreenSleep",
                                         "PreventDeviceSleep"};

}  // namespace

activity_criteria read_activity(reader& in, const key_path& path, xpc_object_t dictionary) {
  activity_criteria result;
  auto at = [&](const char* key) {
    key_path here = path;
    here.emplace_back(key);
    return here;
  };
  auto seconds = [&](const char* key, std::int64_t least, std::chrono::seconds* out) {
    xpc_object_t value = get_object(dictionary, key);
    if (value == nullptr) return false;
    // A program may have set a uint64, which no property list has for such a number.
    std::int64_t read = get_integer(dictionary, key).value_or(-1);
    if ((read < least || read > longest_seconds) &&
        !in.integer(at(key), value, {least, longest_seconds}, &read))
      return false;
    *out = std::chrono::seconds(read);
    return true;
  };
  auto flag = [&](const char* key, bool* out) {
    xpc_object_t value = get_object(dictionary, key);
    return value != nullptr && in.boolean(at(key), value, out);
  };
  const bool has_interval = seconds("Interval", 1, &result.interval);
  std::chrono::seconds given{0};
  const std::chrono::nanoseconds half = std::chrono::nanoseconds(result.interval) / 2;
  const bool has_delay = seconds("Delay", 0, &given);
  result.delay = has_delay ? std::chrono::nanoseconds(given) : half;
  result.grace = seconds("GracePeriod", 0, &given) ? std::chrono::nanoseconds(given) : half;
  result.repeats = has_interval;
  const bool says_repeating = flag("Repeating", &result.repeats);
  result.empty = !has_interval && !has_delay && !says_repeating;
  if (xpc_object_t value = get_object(dictionary, "Priority")) {
    std::string text;
    if (in.text(at("Priority"), value, &text)) {
      result.utility = text == "Utility";
      if (!result.utility && text != "Maintenance")
        in.error(at("Priority"), "expected Maintenance or Utility");
    }
  }
  for (const char* key : not_evaluated) {
    bool wanted = false;
    if (flag(key, &wanted)) result.not_evaluated.emplace_back(key);
  }
  return result;
}

}  // namespace openxpc::job
