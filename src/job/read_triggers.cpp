// Keys that say when a job starts without a client.

#include "job/activity.hpp"
#include "job/calendar.hpp"
#include "job/event_entry.hpp"
#include "job/read_keys.hpp"

#include <ctime>

namespace openxpc::job {

namespace {

void read_calendar_entry(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.is_dictionary(path, value, "dictionary")) return;
  calendar_time result;
  bool good = true;
  each_entry(value, [&](const std::string& field, xpc_object_t number) {
    key_path here = path;
    here.push_back(field);
    std::int64_t read = 0;
    auto take = [&](std::optional<int>* out, range allowed) {
      if (in.integer(here, number, allowed, &read)) {
        *out = static_cast<int>(read);
      } else {
        good = false;
      }
    };
    if (field == "Minute") return take(&result.minute, {0, 59});
    if (field == "Hour") return take(&result.hour, {0, 23});
    if (field == "Day") return take(&result.day, {1, 31});
    if (field == "Month") return take(&result.month, {1, 12});
    if (field == "Weekday") return take(&result.weekday, {0, 7});
    good = false;
    in.error(here, "expected Minute, Hour, Day, Weekday or Month");
  });
  if (!good) return;
  if (result.weekday == 7) result.weekday = 0;  // Sunday, too
  // Any moment will do to ask whether there is a next one.
  if (!next_time({result}, std::time(nullptr))) {
    in.error(path, "this day never comes");
    return;
  }
  job->calendar.push_back(result);
}

void read_conditions(reader& in, const key_path& path, xpc_object_t value,
                     std::map<std::string, bool>* out, bool are_paths) {
  if (!in.is_dictionary(path, value, "dictionary of bools")) return;
  each_entry(value, [&](const std::string& key, xpc_object_t wanted) {
    key_path here = path;
    here.push_back(key);
    bool flag = false;
    if (are_paths && (key.empty() || key.front() != '/')) {
      in.error(here, key + " is not an absolute path");
    } else if (in.boolean(here, wanted, &flag)) {
      (*out)[key] = flag;
    }
  });
}

void read_paths(reader& in, const key_path& path, xpc_object_t value,
                std::vector<std::string>* out) {
  std::vector<std::string> read;
  if (!in.strings(path, value, &read)) return;
  for (std::size_t at = 0; at < read.size(); ++at) {
    if (read[at].empty() || read[at].front() != '/') {
      in.error({path.front(), std::to_string(at)}, read[at] + " is not an absolute path");
    }
  }
  *out = std::move(read);
}

}  // namespace

void read_keep_alive(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (is(value, OPENXPC_TYPE_BOOL)) {
    in.boolean(path, value, &job->keep.always);
    return;
  }
  if (!in.is_dictionary(path, value, "bool or dictionary")) return;
  keep_alive& keep = job->keep;
  each_entry(value, [&](const std::string& condition, xpc_object_t wanted) {
    const key_path here{path.front(), condition};
    bool flag = false;
    if (condition == "SuccessfulExit") {
      if (in.boolean(here, wanted, &flag)) keep.successful_exit = flag;
    } else if (condition == "Crashed") {
      if (in.boolean(here, wanted, &flag)) keep.crashed = flag;
    } else if (condition == "PathState") {
      read_conditions(in, here, wanted, &keep.path_state, true);
    } else if (condition == "OtherJobEnabled") {
      read_conditions(in, here, wanted, &keep.other_job, false);
    } else if (condition == "AfterInitialDemand") {
      in.boolean(here, wanted, &keep.after_initial_demand);
    } else if (condition == "NetworkState") {
      in.warn(here, "has no effect here, as on macOS: nobody says what a network is");
    } else {
      in.warn(here, "has no effect: there is no such condition");
    }
  });
}

void read_start_interval(reader& in, const key_path& path, xpc_object_t value, description* job) {
  std::int64_t read = 0;
  if (in.integer(path, value, {1, longest_seconds}, &read)) {
    job->start_interval = std::chrono::seconds(read);
  }
}

void read_start_calendar(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!is(value, OPENXPC_TYPE_ARRAY)) return read_calendar_entry(in, path, value, job);
  for (std::size_t at = 0; at < ::xpc_array_get_count(value); ++at) {
    read_calendar_entry(in, {path.front(), std::to_string(at)}, ::xpc_array_get_value(value, at),
                        job);
  }
}

void read_watch_paths(reader& in, const key_path& path, xpc_object_t value, description* job) {
  read_paths(in, path, value, &job->watch_paths);
}

void read_queue_directories(reader& in, const key_path& path, xpc_object_t value,
                            description* job) {
  read_paths(in, path, value, &job->queue_directories);
}

void read_start_on_mount(reader& in, const key_path& path, xpc_object_t value, description* job) {
  in.boolean(path, value, &job->start_on_mount);
}

void read_launch_events(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.is_dictionary(path, value, "dictionary of dictionaries")) return;
  bool good = true;
  auto is_good = [&](const key_path& here, const std::string& name, xpc_object_t inner) {
    if (name.empty()) in.error(here, "a name is empty");
    return in.is_dictionary(here, inner, "dictionary") && !name.empty();
  };
  each_entry(value, [&](const std::string& stream, xpc_object_t events) {
    if (!is_good({path.front(), stream}, stream, events)) {
      good = false;
      return;
    }
    if (stream.compare(0, 10, "com.apple.") == 0 && source_of(stream) == event_source::adapter) {
      in.warn({path.front(), stream},
              "nothing here publishes events of this stream by itself; see xpc_events(3)");
    }
    each_entry(events, [&](const std::string& name, xpc_object_t criteria) {
      const key_path here{path.front(), stream, name};
      good = is_good(here, name, criteria) && good;
      if (good && source_of(stream) == event_source::activity)
        (void)read_activity(in, here, criteria);
      event_entry ignored;
      if (good) (void)read_event(in, here, source_of(stream), criteria, &ignored);
    });
  });
  if (good) job->launch_events = retain(value);
}

}  // namespace openxpc::job
