#include "job/event_entry.hpp"

#include "job/activity.hpp"

namespace openxpc::job {

event_source source_of(const std::string& stream) {
  if (stream == "org.openxpc.descriptor") return event_source::descriptor;
  if (stream == "org.openxpc.path") return event_source::path;
  if (stream == activity_stream) return event_source::activity;
  return event_source::adapter;
}

bool read_event(reader& in, const key_path& path, event_source from, xpc_object_t dictionary,
                event_entry* out) {
  if (from != event_source::descriptor && from != event_source::path) return true;
  key_path here = path;
  here.emplace_back("Path");
  xpc_object_t value = get_object(dictionary, "Path");
  if (value != nullptr) return in.absolute_path(here, value, &out->path);
  xpc_object_t file = get_object(dictionary, "Descriptor");
  if (from == event_source::descriptor && file != nullptr && is(file, OPENXPC_TYPE_FD)) return true;
  in.error(here, "is missing");
  return false;
}

}  // namespace openxpc::job
