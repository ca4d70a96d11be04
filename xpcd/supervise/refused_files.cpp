#include "supervise/refused_files.hpp"

#include "job/name.hpp"
#include "job/reader.hpp"

#include <algorithm>
#include <cctype>

namespace openxpc::supervise {

namespace {

constexpr std::size_t most_files = 100;
constexpr std::size_t most_names = 100;  // of a file
constexpr std::size_t most_bytes = 900;  // of a reason
constexpr std::size_t most_example_bytes = 200;

/// The first of several lines, and how many there are.
std::string in_short(const std::string& reason) {
  const std::size_t end = std::min(reason.find('\n'), reason.size());
  const auto more =
      std::count(reason.begin() + static_cast<std::ptrdiff_t>(end), reason.end(), '\n');
  return reason.substr(0, end) + (more == 0 ? "" : " (and " + std::to_string(more) + " more)");
}

const char* word_of(refused_file::state now) {
  switch (now) {
    case refused_file::state::refused:
      break;
    case refused_file::state::disabled:
      return "disabled";
    case refused_file::state::enabled:
      return "enabled";
  }
  return "refused";
}

refused_file::state state_in(xpc_object_t from) {
  const std::string word = get_text(from, "state").value_or("");
  for (const auto one : {refused_file::state::disabled, refused_file::state::enabled}) {
    if (word == word_of(one)) return one;
  }
  return refused_file::state::refused;
}

std::vector<std::string> names_in(xpc_object_t from) {
  std::vector<std::string> names;
  xpc_object_t list = get_object(from, "names");
  if (list == nullptr || !job::is(list, OPENXPC_TYPE_ARRAY)) return names;
  for (std::size_t at = 0; at < ::xpc_array_get_count(list); ++at) {
    const char* name = ::xpc_array_get_string(list, at);
    if (name != nullptr && !job::wrong_with_name(name)) names.emplace_back(name);
  }
  return names;
}

}  // namespace

const refused_file* refused_files::note(const std::string& file, refused_file what) {
  all_.erase(file);
  if (all_.size() >= most_files) {
    has_more_ = true;
    return nullptr;
  }
  if (what.names.size() > most_names) what.names.resize(most_names);
  if (what.reason.size() > most_bytes) what.reason = what.reason.substr(0, most_bytes) + "...";
  return &(all_[file] = std::move(what));
}

refused_file* refused_files::find(const std::string& file) {
  const auto at = all_.find(file);
  return at == all_.end() ? nullptr : &at->second;
}

object_ref refused_files::list(which wanted) const {
  object_ref all = new_array();
  for (const auto& [file, what] : all_) {
    if (wanted == which::for_all && !what.is_for_all) continue;
    object_ref one = new_dictionary();
    set(one.get(), "origin", file);
    set(one.get(), "state", word_of(what.now));
    set(one.get(), "reason", what.reason);
    if (!what.label.empty()) set(one.get(), "declared-label", what.label);
    object_ref names = new_array();
    for (const std::string& name : what.names) append(names.get(), new_string(name));
    set(one.get(), "names", std::move(names));
    set_bool(one.get(), "names-known", what.names_are_known);
    append(all.get(), std::move(one));
  }
  return all;
}

void refused_files::restore(xpc_object_t all) {
  if (all == nullptr || !job::is(all, OPENXPC_TYPE_ARRAY)) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(all); ++at) {
    xpc_object_t one = ::xpc_array_get_value(all, at);
    if (!job::is(one, OPENXPC_TYPE_DICTIONARY)) continue;
    const std::string file = get_text(one, "origin").value_or("");
    if (file.empty() || file.front() != '/') continue;
    refused_file what;
    what.label = get_text(one, "declared-label").value_or("");
    if (job::wrong_with_name(what.label)) what.label.clear();
    what.names = names_in(one);
    what.names_are_known = get_bool(one, "names-known").value_or(false);
    what.now = state_in(one);
    what.reason = get_text(one, "reason").value_or("");
    note(file, std::move(what));
  }
}

std::string reason_without_file(const std::string& file, const std::string& why) {
  const std::string front = file + ":";
  std::string result;
  for (std::size_t at = 0; at < why.size();) {
    const std::size_t end = std::min(why.find('\n', at), why.size());
    std::string line = why.substr(at, end - at);
    at = end + 1;
    if (line.starts_with(front)) {
      line.erase(0, front.size());
      if (!line.empty() && std::isdigit(static_cast<unsigned char>(line.front())) != 0) {
        line.insert(0, "line ");
      }
      line.erase(0, line.find_first_not_of(' '));
    }
    result += (result.empty() ? "" : "\n") + line;
  }
  return result;
}

std::string why_unserved(const std::string& file, const refused_file& what) {
  return file + " declares it and was not loaded: " + in_short(what.reason) +
         (what.now == refused_file::state::enabled ? "; " : "; once that is mended, ") +
         "xpcctl bootstrap " + file + " loads it";
}

std::string why_perhaps_unserved(const refused_files& all) {
  std::size_t count = 0;
  std::string example;
  for (const auto& [file, what] : all.all()) {
    if (what.names_are_known) continue;
    ++count;
    if (what.is_for_all && example.empty())
      example = file + ": " + in_short(what.reason).substr(0, most_example_bytes);
  }
  if (count == 0) {
    return all.has_more() ? "more files were not loaded than xpcd remembers, and one of them may "
                            "declare it"
                          : "";
  }
  const bool one = count == 1 && !all.has_more();
  std::string said = one ? "what a file declares"
                         : "what " + std::string(all.has_more() ? "more than " : "") +
                               std::to_string(count) + " files declare";
  said += " cannot be read, perhaps this name";
  if (example.empty()) return said;
  return said + (one ? ": " : ", such as ") + example;
}

}  // namespace openxpc::supervise
