#include "object/peer_requirement.hpp"

#include "base/utf8.hpp"
#include "object/describe.hpp"
#include "object/dictionary.hpp"

namespace openxpc::object {
namespace {

constexpr std::size_t text_most_bytes = 65536;

/// Whether the text can be a name; else `why` says what is wrong with it.
bool is_name(std::string_view text, const char* what, std::string& why) {
  if (text.empty())
    why = std::string(what) + " is empty";
  else if (text.size() > text_most_bytes)
    why = std::string(what) + " is longer than " + std::to_string(text_most_bytes) + " bytes";
  else if (!base::is_utf8(text))
    why = std::string(what) + " is not UTF-8";
  return why.empty();
}

/// What does not match in a text of the requirement language; empty when all does.
std::string unmatched_in(std::string_view text) {
  int open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      const std::size_t start = at;
      do {
        ++at;
        if (at < text.size() && text[at] == '\\') ++at, at += at < text.size();
      } while (at < text.size() && text[at] != '"');
      if (at >= text.size())
        return "the quote at position " + std::to_string(start) + " is not closed";
    } else if (text[at] == '(' || text[at] == '[') {
      ++open;
    } else if ((text[at] == ')' || text[at] == ']') && --open < 0) {
      return "nothing is open before position " + std::to_string(at);
    }
  }
  return open ? "a parenthesis is not closed" : "";
}

}  // namespace

ref<peer_requirement> peer_requirement::entitlement(std::string_view name, std::string& why) {
  if (!is_name(name, "the entitlement", why)) return nullptr;
  return ref<peer_requirement>::adopt(
      new peer_requirement("entitlement [\"" + std::string(name) + "\"] exists"));
}

ref<peer_requirement> peer_requirement::entitlement(std::string_view name, object& value,
                                                    std::string& why) {
  if (!is_name(name, "the entitlement", why)) return nullptr;
  if (value.what() != OPENXPC_TYPE_BOOL && value.what() != OPENXPC_TYPE_STRING &&
      value.what() != OPENXPC_TYPE_INT64) {
    why = std::string("an entitlement's value is a bool, string or int64, no ") +
          name_of(value.what());
    return nullptr;
  }
  return ref<peer_requirement>::adopt(new peer_requirement(
      "entitlement [\"" + std::string(name) + "\"] is " + openxpc::object::describe(value)));
}

ref<peer_requirement> peer_requirement::signed_by(signer who, const char* identifier,
                                                  std::string& why) {
  if (identifier && !is_name(identifier, "the identifier", why)) return nullptr;
  std::string text = who == signer::same_team ? "signed by the same team" : "part of the platform";
  if (identifier) text += std::string(" and identifier \"") + identifier + '"';
  return ref<peer_requirement>::adopt(new peer_requirement(std::move(text)));
}

ref<peer_requirement> peer_requirement::lightweight(object& given, std::string& why) {
  auto* conditions = as<dictionary>(&given);
  if (!conditions)
    why =
        std::string("a lightweight code requirement is a dictionary, no ") + name_of(given.what());
  else if (conditions->count() == 0)
    why = "the lightweight code requirement has no condition";
  if (!why.empty()) return nullptr;
  return ref<peer_requirement>::adopt(new peer_requirement(openxpc::object::describe(given)));
}

ref<peer_requirement> peer_requirement::language(std::string_view text, std::string& why) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) text = {};
  if (!is_name(text, "the requirement", why)) return nullptr;
  why = unmatched_in(text);
  if (!why.empty()) return nullptr;
  return ref<peer_requirement>::adopt(new peer_requirement(std::string(text)));
}

void peer_requirement::describe(describer& out) const { out.text(" { ").quoted(text_).text(" }"); }

}  // namespace openxpc::object
