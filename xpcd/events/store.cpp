// What a new xpcd must know of events: a file LABEL.events in the run state.

#include "job/reader.hpp"
#include "supervise/state_file.hpp"
#include "supervise/supervisor.hpp"

#include <xpc/openxpc/error.h>

#include <unistd.h>

#include <cstdlib>

#include "events/job_events.hpp"

namespace openxpc::events {

namespace {

std::string file_of(const std::string& label) { return label + ".events"; }

bool holds_descriptor(xpc_object_t content) {
  xpc_object_t file = get_object(content, "Descriptor");
  return file != nullptr && job::is(file, OPENXPC_TYPE_FD);
}

}  // namespace

outcome<std::size_t> size_of(xpc_object_t content, std::size_t most) {
  object_ref kept;
  if (holds_descriptor(content)) {
    kept.reset(::xpc_copy(content));
    ::xpc_dictionary_set_value(kept.get(), "Descriptor", nullptr);
  }
  void* bytes = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  if (!::openxpc_object_encode(kept ? kept.get() : content, OPENXPC_ENCODING_FILE, &bytes, &size,
                               &error)) {
    trouble why{trouble::kind::bad_input,
                std::string("event: ") + ::openxpc_error_get_message(error)};
    ::xpc_release(error);
    return why;
  }
  std::free(bytes);
  if (size > most) {
    return trouble{trouble::kind::bad_input,
                   "event: has more than " + std::to_string(most) + " bytes"};
  }
  return size;
}

void streams::save(const job_events& job) const {
  object_ref entries = new_array(), waiting = new_array();
  for (const auto& [where, one] : job.entries) {
    // A descriptor ends with this xpcd; the description's come back by themselves.
    if (one->from_description || holds_descriptor(one->content.get())) continue;
    object_ref made = new_dictionary();
    set(made.get(), "stream", where.first);
    set(made.get(), "name", where.second);
    set(made.get(), "event", retain(one->content.get()));
    append(entries.get(), std::move(made));
  }
  for (const event& one : job.waiting.all()) {
    if (!one.lasts) continue;
    object_ref made = new_dictionary();
    set(made.get(), "id", one.id);
    set(made.get(), "stream", one.stream);
    set(made.get(), "name", one.name);
    set(made.get(), "event", retain(one.content.get()));
    append(waiting.get(), std::move(made));
  }
  const std::string name = file_of(job.label);
  if (::xpc_array_get_count(entries.get()) == 0 && ::xpc_array_get_count(waiting.get()) == 0) {
    ::unlinkat(run_fd_, name.c_str(), 0);
    return;
  }
  object_ref all = new_dictionary();
  set(all.get(), "entries", std::move(entries));
  set(all.get(), "waiting", std::move(waiting));
  void* bytes = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  failure_of why;
  if (::openxpc_object_encode(all.get(), OPENXPC_ENCODING_FILE, &bytes, &size, &error)) {
    why = supervise::write_whole(run_fd_, name, bytes, size, "run state");
    std::free(bytes);
  } else {
    why = trouble{trouble::kind::bad_input, ::openxpc_error_get_message(error)};
    ::xpc_release(error);
  }
  if (why) supervise::say(job.label, "its events do not outlast this xpcd: " + why->text);
}

void streams::load(job_events& job) {
  std::optional<std::string> bytes = supervise::read_whole(run_fd_, file_of(job.label));
  if (!bytes) return;
  object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, nullptr));
  if (!all) return supervise::say(job.label, "its events are lost: the run state is damaged");
  auto each = [&](const char* key, auto use) {
    xpc_object_t list = get_object(all.get(), key);
    if (list == nullptr || !job::is(list, OPENXPC_TYPE_ARRAY)) return;
    for (std::size_t at = 0; at < ::xpc_array_get_count(list); ++at) {
      xpc_object_t one = ::xpc_array_get_value(list, at);
      std::optional<std::string> stream = get_text(one, "stream"), name = get_text(one, "name");
      xpc_object_t content = get_object(one, "event");
      if (!stream || !name || content == nullptr || !job::is(content, OPENXPC_TYPE_DICTIONARY))
        continue;
      use(one, place{*stream, *name}, object_ref(::xpc_copy(content)));
    }
  };
  each("entries", [&](xpc_object_t, const place& where, object_ref content) {
    if (failure_of why = set_entry(job.label, where, content.get(), false))
      supervise::say(job.label, where.first + ": " + where.second + ": " + why->text);
  });
  each("waiting", [&](xpc_object_t from, const place& where, object_ref content) {
    const std::int64_t id = get_integer(from, "id").value_or(0);
    if (id == 0 || job.entries.count(where) == 0) return;
    event made;
    made.id = id;
    made.stream = where.first;
    made.name = where.second;
    if (outcome<std::size_t> size = size_of(content.get(), queue::most_bytes)) made.bytes = *size;
    made.content = std::move(content);
    (void)job.waiting.add(std::move(made));
  });
}

void streams::hand_over(xpc_object_t into, handover::outgoing& out) const {
  object_ref list = new_array();
  for (const auto& [label, job] : all_) {
    for (const auto& [where, one] : job->entries) {
      if (one->from_description || !one->file || !holds_descriptor(one->content.get())) continue;
      object_ref made = new_dictionary(), content(::xpc_copy(one->content.get()));
      ::xpc_dictionary_set_value(content.get(), "Descriptor", nullptr);
      set(made.get(), "label", label);
      set(made.get(), "stream", where.first);
      set(made.get(), "name", where.second);
      set(made.get(), "event", std::move(content));
      out.keep(made.get(), "descriptor", one->file.get());
      append(list.get(), std::move(made));
    }
  }
  set(into, "watched-descriptors", std::move(list));
  out.keep(into, "event-paths", watcher_.borrowed_fd());
}

void streams::resume_watches(xpc_object_t given, handover::incoming& in) {
  watcher_.adopt(in.take(given, "event-paths"));
}

void streams::resume(xpc_object_t given, handover::incoming& in) {
  xpc_object_t list = get_object(given, "watched-descriptors");
  if (list == nullptr || !job::is(list, OPENXPC_TYPE_ARRAY)) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(list); ++at) {
    xpc_object_t one = ::xpc_array_get_value(list, at);
    const std::string label = get_text(one, "label").value_or("");
    const place where{get_text(one, "stream").value_or(""), get_text(one, "name").value_or("")};
    const base::fd file = in.take(one, "descriptor");
    xpc_object_t event = get_object(one, "event");
    if (!file || event == nullptr || !jobs_.description_of(label)) continue;
    const object_ref content(::xpc_copy(event));
    ::xpc_dictionary_set_fd(content.get(), "Descriptor", file.get());
    if (failure_of why = set_entry(label, where, content.get(), false))
      supervise::say(label, where.first + ": " + where.second + ": " + why->text);
  }
}

}  // namespace openxpc::events
