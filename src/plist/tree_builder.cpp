#include "plist/tree_builder.hpp"

#include <utility>

namespace openxpc::plist {
namespace {

std::string spoken(place at) {
  if (at.line) return "line " + std::to_string(at.line);
  return "offset " + std::to_string(at.offset);
}

}  // namespace

bool tree_builder::wants_key() const noexcept { return in_dictionary() && !open_.back().has_key; }

bool tree_builder::fail(place at, std::string text) {
  if (!fault_) fault_ = fault{at, std::move(text)};
  return false;
}

bool tree_builder::charge(const node& value) {
  if (failed()) return false;
  if (++nodes_ > most_.nodes)
    return fail(value.at, "more than " + std::to_string(most_.nodes) + " values");
  payload_ += value.text.size();
  if (payload_ > most_.payload)
    return fail(value.at, "more than " + std::to_string(most_.payload) + " bytes of text and data");
  return true;
}

void tree_builder::put(node&& value) {
  if (open_.empty()) {
    root_ = std::move(value);
    complete_ = true;
    return;
  }
  frame& top = open_.back();
  if (top.container.what == kind::dictionary) {
    value.key = std::move(top.next_key);
    value.key_at = top.next_key_at;
    top.next_key.clear();
    top.has_key = false;
  }
  top.container.children.push_back(std::move(value));
}

bool tree_builder::add(node&& leaf) {
  if (!charge(leaf)) return false;
  if (leaf.what == kind::string && leaf.text.find('\0') != std::string::npos)
    return fail(leaf.at, "a string with a NUL character, which no string object can hold");
  put(std::move(leaf));
  return true;
}

bool tree_builder::begin(kind container, place at) {
  frame opened;
  opened.container.what = container;
  opened.container.at = at;
  if (!charge(opened.container)) return false;
  if (open_.size() >= most_.depth)
    return fail(at, "nested deeper than " + std::to_string(most_.depth) + " levels");
  open_.push_back(std::move(opened));
  return true;
}

bool tree_builder::end() {
  if (failed()) return false;
  if (in_dictionary() && !wants_key())
    return fail(pending_key_place(), "key " + in_quotes(pending_key()) + " has no value");
  node finished = std::move(open_.back().container);
  open_.pop_back();
  put(std::move(finished));
  return true;
}

bool tree_builder::key(std::string name, place at) {
  if (failed()) return false;
  frame& top = open_.back();
  if (name.find('\0') != std::string::npos)
    return fail(at, "key " + in_quotes(name) + " has a NUL character");
  payload_ += name.size();
  if (payload_ > most_.payload)
    return fail(at, "more than " + std::to_string(most_.payload) + " bytes of text and data");
  auto [known, fresh] = top.keys.try_emplace(name, at);
  if (!fresh)
    return fail(
        at, "key " + in_quotes(name) + " stands twice; the first is at " + spoken(known->second));
  top.next_key = std::move(name);
  top.next_key_at = at;
  top.has_key = true;
  return true;
}

std::optional<fault> tree_builder::take(node& out) {
  if (fault_) return std::move(fault_);
  out = std::move(root_);
  return {};
}

}  // namespace openxpc::plist
