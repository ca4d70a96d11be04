#include "control/requests.hpp"

#include "job/reader.hpp"
#include "supervise/state_file.hpp"

#include <xpc/openxpc/error.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "log.hpp"

namespace openxpc::control {

namespace {

constexpr const char* file = "requests";
/// Of which somebody may still wait for the answer.
constexpr std::size_t most_remembered = 64;

outcome<object_ref> again(const outcome<object_ref>& result) {
  if (!result) return result.error();
  return retain(result->get());
}

}  // namespace

requests::requests(int borrowed_run_fd) : directory_(borrowed_run_fd) { load(); }

requests::entry* requests::find(const std::string& id, const std::string& subject) {
  for (entry& one : all_) {
    if (one.id == id && one.subject == subject) return &one;
  }
  return nullptr;
}

bool requests::join(const std::string& id, const std::string& subject, answer& answered,
                    bool* begun_before) {
  if (entry* known = find(id, subject)) {
    if (known->reply) {
      answered(retain(known->reply.get()));
      return true;
    }
    if (known->under_way) {
      known->waiting.push_back(std::move(answered));
      return true;
    }
    *begun_before = true;
    known->under_way = true;
    return false;
  }
  while (all_.size() >= most_remembered) {
    auto oldest =
        std::find_if(all_.begin(), all_.end(), [](const entry& one) { return !one.under_way; });
    if (oldest == all_.end()) break;
    all_.erase(oldest);
  }
  entry made;
  made.id = id;
  made.subject = subject;
  made.under_way = true;
  all_.push_back(std::move(made));
  save();
  return false;
}

answer requests::finish(const std::string& id, const std::string& op, const std::string& subject,
                        bool begun_before, answer answered) {
  return [this, id, op, subject, begun_before,
          answered = std::move(answered)](outcome<object_ref> result) {
    // The first time it was there, and its end was what was asked for.
    if (result && begun_before && op == "bootout") set_bool(result->get(), "was-loaded", true);
    end(id, op + " " + subject, result);
    answered(std::move(result));
  };
}

void requests::end(const std::string& id, const std::string& subject,
                   const outcome<object_ref>& result) {
  entry* known = find(id, subject);
  if (known == nullptr) return;
  std::vector<answer> waiting = std::move(known->waiting);
  known->waiting.clear();
  known->under_way = known->carried = false;
  if (result) {
    known->reply = retain(result->get());
  } else {
    std::erase_if(all_, [known](const entry& one) { return &one == known; });
  }
  save();
  for (answer& one : waiting) one(again(result));
}

void requests::load() {
  const std::optional<std::string> bytes = supervise::read_whole(directory_, file);
  if (!bytes) return;
  xpc_rich_error_t error = nullptr;
  object_ref all(
      ::openxpc_object_decode(bytes->data(), bytes->size(), OPENXPC_ENCODING_FILE, &error));
  if (!all) {
    log_line(weight::warning, "answers of the last requests are lost: " +
                                  std::string(::openxpc_error_get_message(error)));
    ::xpc_release(error);
    return;
  }
  xpc_object_t list = get_object(all.get(), "requests");
  if (list == nullptr || !job::is(list, OPENXPC_TYPE_ARRAY)) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(list); ++at) {
    xpc_object_t one = ::xpc_array_get_value(list, at);
    if (!job::is(one, OPENXPC_TYPE_DICTIONARY)) continue;
    entry read;
    read.id = get_text(one, "id").value_or("");
    read.subject = get_text(one, "subject").value_or("");
    if (xpc_object_t reply = get_object(one, "reply")) read.reply = retain(reply);
    if (!read.id.empty()) all_.push_back(std::move(read));
  }
}

void requests::save() const {
  object_ref list = new_array();
  for (const entry& one : all_) {
    object_ref written = new_dictionary();
    set(written.get(), "id", one.id);
    set(written.get(), "subject", one.subject);
    if (one.reply) set(written.get(), "reply", retain(one.reply.get()));
    append(list.get(), std::move(written));
  }
  object_ref all = new_dictionary();
  set(all.get(), "requests", std::move(list));
  void* bytes = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  failure_of why;
  if (::openxpc_object_encode(all.get(), OPENXPC_ENCODING_FILE, &bytes, &size, &error)) {
    why = supervise::write_whole(directory_, file, bytes, size, "run state");
    std::free(bytes);
  } else {
    why = trouble{trouble::kind::bad_input, ::openxpc_error_get_message(error)};
    ::xpc_release(error);
  }
  // The request itself goes on; only a repetition after a crash of xpcd would not be recognised.
  if (why) log_line(weight::warning, why->text);
}

object_ref requests::under_way() const {
  object_ref all = new_array();
  for (const entry& one : all_) {
    if (!one.under_way && !one.carried) continue;
    object_ref made = new_dictionary();
    set(made.get(), "id", one.id);
    set(made.get(), "subject", one.subject);
    append(all.get(), std::move(made));
  }
  return all;
}

void requests::carry(xpc_object_t under_way) {
  if (under_way == nullptr || !job::is(under_way, OPENXPC_TYPE_ARRAY)) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(under_way); ++at) {
    xpc_object_t one = ::xpc_array_get_value(under_way, at);
    entry* known = find(get_text(one, "id").value_or(""), get_text(one, "subject").value_or(""));
    if (known != nullptr) known->carried = true;
  }
}

bool requests::is_carried(const std::string& id, const std::string& op,
                          const std::string& subject) const {
  return std::any_of(all_.begin(), all_.end(), [&](const entry& one) {
    return one.carried && one.id == id && one.subject == op + " " + subject;
  });
}

void requests::forget_all() const noexcept { ::unlinkat(directory_, file, 0); }

}  // namespace openxpc::control
