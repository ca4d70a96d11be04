#include "job/reader.hpp"

#include <algorithm>

namespace openxpc::job {

std::string describe(const finding& what, const std::string& file) {
  std::string text = file + ":";
  if (what.line != 0) text += std::to_string(what.line) + ":";
  if (!what.key.empty()) text += " " + what.key + ":";
  return text + " " + what.text;
}

void reader::add(finding::weight how, finding::scope where_it_counts, const key_path& path,
                 const std::string& text) {
  finding one;
  one.how = how;
  one.where = where_it_counts;
  one.text = text;
  std::vector<const char*> steps;
  for (const std::string& step : path) {
    steps.push_back(step.c_str());
    one.key += (one.key.empty() ? "" : "/") + step;
  }
  openxpc_plist_location_t where;
  // What is missing has no place; the dictionary that lacks it has one.
  for (;; steps.pop_back()) {
    if (locations_ != nullptr &&
        ::openxpc_plist_locations_find(locations_, steps.data(), steps.size(), &where)) {
      one.line = where.key_line;
      break;
    }
    if (steps.empty()) break;
  }
  findings_.push_back(std::move(one));
}

void reader::error(const key_path& path, const std::string& text) {
  add(finding::weight::error, finding::scope::everywhere, path, text);
}

void reader::error_in(finding::scope where, const key_path& path, const std::string& text) {
  add(finding::weight::error, where, path, text);
}

void reader::warn(const key_path& path, const std::string& text) {
  add(finding::weight::warning, finding::scope::everywhere, path, text);
}

void reader::expected(const key_path& path, const std::string& what, xpc_object_t found) {
  error(path, "expected " + what + ", found " + ::openxpc_type_name(::openxpc_type_id(found)));
}

bool reader::text(const key_path& path, xpc_object_t value, std::string* out) {
  std::size_t size = 0;
  const char* text = ::openxpc_string_get_text(value, &size);
  if (text == nullptr) {
    expected(path, "string", value);
    return false;
  }
  out->assign(text, size);
  return true;
}

bool reader::text_not_empty(const key_path& path, xpc_object_t value, std::string* out) {
  std::string read;
  if (!text(path, value, &read)) return false;
  if (read.empty()) {
    error(path, "is empty");
    return false;
  }
  *out = std::move(read);
  return true;
}

bool reader::absolute_path(const key_path& path, xpc_object_t value, std::string* out) {
  std::string read;
  if (!text_not_empty(path, value, &read)) return false;
  if (read.front() != '/') {
    error(path, read + " is not an absolute path");
    return false;
  }
  *out = std::move(read);
  return true;
}

bool reader::boolean(const key_path& path, xpc_object_t value, bool* out) {
  openxpc_value_t read;
  if (!::openxpc_object_read(value, &read) || read.type != OPENXPC_TYPE_BOOL) {
    expected(path, "bool", value);
    return false;
  }
  *out = read.as.boolean;
  return true;
}

bool reader::integer(const key_path& path, xpc_object_t value, range allowed, std::int64_t* out) {
  openxpc_value_t read;
  if (!::openxpc_object_read(value, &read) ||
      (read.type != OPENXPC_TYPE_INT64 && read.type != OPENXPC_TYPE_UINT64)) {
    expected(path, "integer", value);
    return false;
  }
  // A uint64 is beyond every int64, so beyond every range.
  if (read.type == OPENXPC_TYPE_UINT64 || read.as.int64 < allowed.from ||
      read.as.int64 > allowed.to) {
    error(path, "expected integer from " + std::to_string(allowed.from) + " to " +
                    std::to_string(allowed.to));
    return false;
  }
  *out = read.as.int64;
  return true;
}

bool reader::seconds(const key_path& path, xpc_object_t value, std::chrono::seconds* out) {
  std::int64_t read = 0;
  if (!integer(path, value, {0, longest_seconds}, &read)) return false;
  *out = std::chrono::seconds(read);
  return true;
}

bool reader::strings(const key_path& path, xpc_object_t value, std::vector<std::string>* out) {
  if (!is_array(path, value, "array of strings")) return false;
  std::vector<std::string> all;
  bool good = true;
  for (std::size_t at = 0; at < ::xpc_array_get_count(value); ++at) {
    key_path here = path;
    here.push_back(std::to_string(at));
    std::string one;
    good = text(here, ::xpc_array_get_value(value, at), &one) && good;
    all.push_back(std::move(one));
  }
  if (good) *out = std::move(all);
  return good;
}

bool reader::is_dictionary(const key_path& path, xpc_object_t value, const char* instead) {
  if (is(value, OPENXPC_TYPE_DICTIONARY)) return true;
  expected(path, instead, value);
  return false;
}

bool reader::is_array(const key_path& path, xpc_object_t value, const char* instead) {
  if (is(value, OPENXPC_TYPE_ARRAY)) return true;
  expected(path, instead, value);
  return false;
}

std::vector<finding> reader::take_findings() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const finding& one, const finding& other) { return one.line < other.line; });
  return std::move(findings_);
}

void each_entry(xpc_object_t dictionary,
                const std::function<void(const std::string&, xpc_object_t)>& f) {
  std::vector<std::pair<std::string, xpc_object_t>> entries;
  ::openxpc_dictionary_apply_f(
      dictionary, &entries,
      [](void* context, const char* key, std::size_t size, xpc_object_t value) {
        static_cast<decltype(entries)*>(context)->emplace_back(std::string(key, size), value);
        return true;
      });
  std::sort(entries.begin(), entries.end());
  for (const auto& [key, value] : entries) f(key, value);
}

}  // namespace openxpc::job
