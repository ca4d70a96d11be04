#include "events/streams.hpp"

#include "base/random.hpp"
#include "job/reader.hpp"
#include "supervise/supervisor.hpp"

#include <asio/post.hpp>

#include <algorithm>

#include "events/job_events.hpp"

namespace openxpc::events {

namespace {

constexpr std::size_t most_entries = 256;
constexpr std::size_t longest_name = 255;
constexpr std::size_t most_entry_bytes = 4096, most_event_bytes = 65536;

outcome<std::string> name_in(xpc_object_t message, const char* key) {
  std::optional<std::string> text = get_text(message, key);
  if (!text || text->empty() || text->size() > longest_name)
    return trouble{trouble::kind::bad_input,
                   std::string(key) + ": expected a string of 1 to 255 bytes"};
  return *text;
}

}  // namespace

streams::streams(asio::io_context& loop, supervise::supervisor& jobs, int borrowed_run_fd)
    : loop_(loop),
      jobs_(jobs),
      run_fd_(borrowed_run_fd),
      watcher_(loop),
      self_(std::make_shared<streams*>(this)) {}

streams::~streams() { *self_ = nullptr; }

streams::job_ref streams::find(const std::string& label) const {
  auto at = all_.find(label);
  return at == all_.end() ? nullptr : at->second;
}

streams::job_events& streams::need(const std::string& label) {
  job_ref& job = all_[label];
  if (!job) job = std::make_shared<job_events>(loop_, label);
  return *job;
}

void streams::arrived(const job::description& job, bool taken_over) {
  if (job.launch_events) {
    job::each_entry(job.launch_events.get(), [&](const std::string& stream, xpc_object_t names) {
      if (job::source_of(stream) == job::event_source::activity) return;
      job::each_entry(names, [&](const std::string& name, xpc_object_t content) {
        if (failure_of why = set_entry(job.label, {stream, name}, content, true))
          supervise::say(job.label, stream + ": " + name + ": " + why->text);
      });
    });
  }
  if (!taken_over) return;
  load(need(job.label));
  job_events& here = *all_[job.label];
  if (here.entries.empty() && here.waiting.empty()) {
    all_.erase(job.label);
    return;
  }
  deliver(here);
}

void streams::left(const std::string& label) {
  job_ref job = find(label);
  if (!job) return;
  while (!job->entries.empty()) remove_entry(*job, job->entries.begin()->first);
  job->waiting = {};
  save(*job);
  all_.erase(label);
}

void streams::process_ended(const std::string& label) {
  job_ref job = find(label);
  if (!job) return;
  const bool in_vain = job->woke || job->waiting.has_sent();
  job->woke = false;
  job->waiting.forget_process();
  if (job->waiting.empty()) return;
  // The first time at once: it may have ended for any reason.
  if (in_vain) ++job->attempts;
  wake_later(*job);
}

failure_of streams::set_entry(const std::string& label, const place& where, xpc_object_t content,
                              bool from_description) {
  const job::event_source from = job::source_of(where.first);
  if (from == job::event_source::activity) {
    return trouble{trouble::kind::bad_input,
                   where.first + ": activities are registered by xpc_activity_register()"};
  }
  job::reader in(content, nullptr);
  job::event_entry read;
  if (!job::read_event(in, {where.first, where.second}, from, content, &read))
    return trouble{trouble::kind::bad_input, job::describe(in.take_findings().front(), label)};
  job_ref before = find(label);
  if (before) {
    auto at = before->entries.find(where);
    if (at != before->entries.end() && ::xpc_equal(at->second->content.get(), content))
      return std::nullopt;
    if (at == before->entries.end() && before->entries.size() >= most_entries) {
      return trouble{trouble::kind::bad_input,
                     label + ": has " + std::to_string(most_entries) + " entries already"};
    }
  }
  job_events& job = need(label);
  remove_entry(job, where);
  auto made = std::make_unique<entry>(loop_, label);
  made->where = where;
  made->from = from;
  made->content = retain(content);
  made->path = read.path;
  made->from_description = from_description;
  entry& one = *made;
  job.entries[where] = std::move(made);
  begin(one);
  return std::nullopt;
}

void streams::remove_entry(job_events& job, const place& where) {
  auto at = job.entries.find(where);
  if (at == job.entries.end()) return;
  if (at->second->watched) watcher_.remove(*at->second->watched);
  job.entries.erase(at);
  job.waiting.drop(where.first, where.second);
}

failure_of streams::take_listen(const std::string& label, xpc_object_t message) {
  outcome<std::string> stream = name_in(message, "stream");
  if (!stream) return stream.error();
  // An entry of it may come later.
  job_events& job = need(label);
  if (!job.waiting.listen(*stream)) {
    return trouble{trouble::kind::bad_input,
                   label + ": reads " + std::to_string(queue::most_streams) + " streams already"};
  }
  job.woke = false;
  deliver(job);
  return std::nullopt;
}

failure_of streams::take_handled(const std::string& label, xpc_object_t message) {
  job_ref job = find(label);
  const std::optional<std::int64_t> id = get_integer(message, "id");
  if (!id) return trouble{trouble::kind::bad_input, "id: expected an integer"};
  if (!job) return std::nullopt;
  const event done = job->waiting.take(*id);
  if (done.id == 0) return std::nullopt;
  job->attempts = 0;
  if (done.lasts) {
    save(*job);
  } else if (auto at = job->entries.find({done.stream, done.name}); at != job->entries.end()) {
    // Only now: what the handler has not read makes the next event.
    watch_file(*at->second);
  }
  deliver(*job);
  return std::nullopt;
}

failure_of streams::take_set(const std::string& label, xpc_object_t message) {
  outcome<std::string> stream = name_in(message, "stream"), name = name_in(message, "name");
  if (!stream) return stream.error();
  if (!name) return name.error();
  const place spot{*stream, *name};
  xpc_object_t content = get_object(message, "event");
  if (content == nullptr) {
    if (job_ref job = find(label)) {
      remove_entry(*job, spot);
      save(*job);
    }
    return std::nullopt;
  }
  if (!job::is(content, OPENXPC_TYPE_DICTIONARY))
    return trouble{trouble::kind::bad_input, "event: expected a dictionary"};
  // The program's own: what it received must not keep the message.
  const object_ref own(::xpc_copy(content));
  if (!own) return trouble{trouble::kind::bad_input, "event: cannot be kept"};
  if (outcome<std::size_t> size = size_of(own.get(), most_entry_bytes); !size) return size.error();
  if (failure_of why = set_entry(label, spot, own.get(), false)) return why;
  save(*find(label));
  return std::nullopt;
}

outcome<object_ref> streams::take_copy(const std::string& label, xpc_object_t message) const {
  outcome<std::string> stream = name_in(message, "stream"), name = name_in(message, "name");
  if (!stream) return stream.error();
  if (!name) return name.error();
  object_ref reply = new_dictionary();
  if (job_ref job = find(label)) {
    auto at = job->entries.find({*stream, *name});
    if (at != job->entries.end()) set(reply.get(), "event", retain(at->second->content.get()));
  }
  return reply;
}

outcome<std::size_t> streams::publish(const std::string& stream, const std::string& name,
                                      xpc_object_t content) {
  if (job::source_of(stream) != job::event_source::adapter)
    return trouble{trouble::kind::bad_input, stream + ": xpcd itself publishes this stream"};
  const object_ref told = content == nullptr ? new_dictionary() : retain(content);
  outcome<std::size_t> size = size_of(told.get(), most_event_bytes);
  if (!size) return size.error();
  std::vector<job_ref> all;
  for (const auto& [label, job] : all_) {
    if (job->entries.count({stream, name}) == 0) continue;
    if (!job->waiting.has_room(*size)) {
      return trouble{trouble::kind::unavailable, label + ": too many events wait already"};
    }
    all.push_back(job);
  }
  if (all.empty()) {
    return trouble{trouble::kind::not_found, stream + ": no job wants events named " + name};
  }
  for (const job_ref& job : all) {
    (void)add(*job, *job->entries.find({stream, name})->second, object_ref(::xpc_copy(told.get())),
              true, *size);
  }
  return all.size();
}

object_ref streams::subscribers(const std::string& stream) const {
  object_ref all = new_array();
  for (const auto& [label, job] : all_) {
    for (const auto& [where, one] : job->entries) {
      if (where.first != stream) continue;
      object_ref made = new_dictionary();
      set(made.get(), "label", label);
      set(made.get(), "name", where.second);
      set(made.get(), "event", retain(one->content.get()));
      append(all.get(), std::move(made));
    }
  }
  return all;
}

/// Rule 200: whatever is in it, the name is the one that the job chose.
bool streams::add(job_events& job, const entry& one, object_ref content, bool lasts,
                  std::size_t bytes) {
  set(content.get(), XPC_EVENT_KEY_NAME, one.where.second);
  event made;
  made.id = static_cast<std::int64_t>(base::random_u64() >> 1 | 1);
  made.stream = one.where.first;
  made.name = one.where.second;
  made.content = std::move(content);
  made.bytes = bytes;
  made.lasts = lasts;
  if (!job.waiting.add(std::move(made))) return false;
  if (lasts) save(job);
  deliver(job);
  return true;
}

/// Sends what the job's process reads; sees to it that there is a process for the rest.
void streams::deliver(job_events& job) {
  while (const event* one = job.waiting.next()) {
    object_ref message = new_dictionary();
    set(message.get(), "op", "event");
    set(message.get(), "id", one->id);
    set(message.get(), "stream", one->stream);
    set(message.get(), "event", retain(one->content.get()));
    if (jobs_.send(job.label, message.get())) continue;
    job.waiting.forget_process();
    break;
  }
  if (!job.waiting.has_unread() || job.woke || jobs_.pid_of(job.label) != 0) return;
  if (job.attempts > 1) return;  // the timer wakes it
  job.woke = jobs_.wake(job.label);
  if (!job.woke) {
    ++job.attempts;
    wake_later(job);
  }
}

/// After one attempt in vain at once, then ever later: a program that never registers its handler
/// must not be started in a loop (rule 201).
void streams::wake_later(job_events& job) {
  const std::chrono::seconds wait =
      job.attempts <= 1 ? std::chrono::seconds(0)
                        : std::min(std::chrono::seconds(1 << std::min(job.attempts - 2, 10U)),
                                   std::chrono::seconds(300));
  job.later.expires_after(wait);
  job.later.async_wait([self = self_, label = job.label](const asio::error_code& error) {
    if (error || *self == nullptr) return;
    job_ref here = (*self)->find(label);
    if (!here || here->waiting.empty() || here->woke) return;
    if ((*self)->jobs_.pid_of(label) != 0) return;
    here->woke = (*self)->jobs_.wake(label);
    if (here->woke) return;
    ++here->attempts;
    (*self)->wake_later(*here);
  });
}

void streams::describe(const std::string& label, xpc_object_t into) const {
  job_ref job = find(label);
  if (!job) return;
  if (!job->entries.empty()) {
    object_ref all = new_array();
    for (const auto& [where, one] : job->entries) {
      object_ref made = new_dictionary();
      set(made.get(), "stream", where.first);
      set(made.get(), "name", where.second);
      if (!one->path.empty()) set(made.get(), "path", one->path);
      set_bool(made.get(), "from-description", one->from_description);
      if (!one->trouble.empty()) set(made.get(), "trouble", one->trouble);
      append(all.get(), std::move(made));
    }
    set(into, "events", std::move(all));
  }
  set(into, "events-waiting", static_cast<std::int64_t>(job->waiting.size()));
}

}  // namespace openxpc::events
