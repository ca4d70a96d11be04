// JSON that spells out the type of each value. Reading goes through the plain reader, so depth and
// counts are bounded there: what is written as one value takes up to three levels.

#include "base/utf8.hpp"
#include "plist/bytes_text.hpp"
#include "plist/json_text.hpp"
#include "plist/number.hpp"
#include "plist/path.hpp"
#include "plist/read.hpp"
#include "plist/tree_builder.hpp"
#include "plist/write.hpp"

#include <bit>
#include <charconv>
#include <map>
#include <utility>

namespace openxpc::plist {
namespace {

/// The levels of JSON that one level of values takes: the value, its list, and the pair of key and
/// value.
constexpr std::size_t levels_a_value = 3;

class typed_reader {
 public:
  explicit typed_reader(const limits& most) : most_(most) {}

  std::optional<fault> read(node&& spelled, node& out) {
    node found;
    if (!value(spelled, found, 1)) return wrong_;
    out = std::move(found);
    return {};
  }

 private:
  bool fail(place at, std::string reason) {
    wrong_ = fault{at, std::move(reason)};
    return false;
  }

  /// The member of that name; a fault when there is none.
  node* member(node& object, std::string_view name) {
    for (node& each : object.children)
      if (each.key == name) return &each;
    fail(object.at, "no member " + in_quotes(name));
    return nullptr;
  }
  node* member(node& object, std::string_view name, kind expected) {
    node* found = member(object, name);
    if (found && found->what != expected) {
      fail(found->at, in_quotes(name) + ": expected " + std::string(json_name(expected)) +
                          ", found " + std::string(json_name(found->what)));
      return nullptr;
    }
    return found;
  }
  static std::string_view json_name(kind what) noexcept {
    switch (what) {
      case kind::boolean:
        return "true or false";
      case kind::integer:
      case kind::natural:
      case kind::real:
        return "a number";
      case kind::string:
        return "a string";
      case kind::array:
        return "a list";
      case kind::dictionary:
        return "an object";
      default:
        return "null";
    }
  }

  bool value(node& spelled, node& out, std::size_t depth) {
    if (spelled.what != kind::dictionary)
      return fail(spelled.at, "expected {\"type\": ..., \"value\": ...}, found " +
                                  std::string(json_name(spelled.what)));
    const node* type = member(spelled, "type", kind::string);
    if (!type) return false;
    out.at = spelled.at;
    const std::string& name = type->text;
    if (!known_members(spelled, name)) return false;
    if (name == "null") return true;
    if (name == "bool") return boolean(spelled, out);
    if (name == "int64") return integer(spelled, out, kind::integer);
    if (name == "uint64") return integer(spelled, out, kind::natural);
    if (name == "date") return integer(spelled, out, kind::date);
    if (name == "double") return real(spelled, out);
    if (name == "string" || name == "data" || name == "uuid") return text(spelled, name, out);
    if (name != "array" && name != "dictionary" && name != "file_transfer")
      return fail(type->at, "no value of type " + in_quotes(name) + " can be made from text");
    if (depth > most_.depth)
      return fail(spelled.at, "nested deeper than " + std::to_string(most_.depth) + " levels");
    if (name == "array") return array(spelled, out, depth);
    return name == "dictionary" ? dictionary(spelled, out, depth)
                                : file_transfer(spelled, out, depth);
  }

  /// A misspelled member would be a value that is silently not what its writer meant.
  bool known_members(const node& spelled, std::string_view type) {
    for (const node& each : spelled.children) {
      bool known = each.key == "type" || (each.key == "value" && type != "null") ||
                   (each.key == "bits" && type == "double");
      if (!known)
        return fail(each.key_at,
                    "a value of type " + in_quotes(type) + " has no member " + in_quotes(each.key));
    }
    return true;
  }

  bool boolean(node& spelled, node& out) {
    const node* given = member(spelled, "value", kind::boolean);
    if (!given) return false;
    out.what = kind::boolean;
    out.boolean = given->boolean;
    return true;
  }

  template <class T>
  bool decimal(const node& given, T& out) {
    const char* end = given.text.data() + given.text.size();
    auto [stop, problem] = std::from_chars(given.text.data(), end, out);
    if (problem == std::errc::result_out_of_range)
      return fail(given.at, "the integer " + in_quotes(given.text) + " does not fit in " +
                                (std::is_signed_v<T> ? "int64" : "uint64"));
    if (problem != std::errc() || stop != end)
      return fail(given.at, in_quotes(given.text) + " is not a decimal integer");
    return true;
  }

  bool integer(node& spelled, node& out, kind what) {
    const node* given = member(spelled, "value", kind::string);
    if (!given) return false;
    out.what = what;
    return what == kind::natural ? decimal(*given, out.natural) : decimal(*given, out.integer);
  }

  bool real(node& spelled, node& out) {
    const node* given = member(spelled, "bits", kind::string);
    if (!given) return false;
    std::string bytes;
    std::string_view digits = given->text;
    bool marked = digits.starts_with("0x");
    if (marked) digits.remove_prefix(2);
    if (!marked || digits.size() != 16 || read_hex(digits, bytes))
      return fail(given->at, "\"bits\": expected 0x and 16 hexadecimal digits, found " +
                                 in_quotes(given->text));
    std::uint64_t bits = 0;
    for (char c : bytes) bits = bits << 8 | static_cast<unsigned char>(c);
    out.what = kind::real;
    out.real = std::bit_cast<double>(bits);
    return true;
  }

  bool text(node& spelled, std::string_view type, node& out) {
    node* given = member(spelled, "value", kind::string);
    if (!given) return false;
    out.what = type == "string" ? kind::string : type == "data" ? kind::data : kind::uuid;
    std::optional<std::string> wrong;
    if (type == "data")
      wrong = read_hex(given->text, out.text);
    else if (type == "uuid")
      wrong = read_uuid(given->text, out.text);
    else
      out.text = std::move(given->text);
    return wrong ? fail(given->at, *wrong) : true;
  }

  bool array(node& spelled, node& out, std::size_t depth) {
    node* list = member(spelled, "value", kind::array);
    if (!list) return false;
    out.what = kind::array;
    for (node& each : list->children)
      if (!value(each, out.children.emplace_back(), depth + 1)) return false;
    return true;
  }

  bool dictionary(node& spelled, node& out, std::size_t depth) {
    node* list = member(spelled, "value", kind::array);
    if (!list) return false;
    out.what = kind::dictionary;
    std::map<std::string_view, place> keys;
    for (node& pair : list->children) {
      if (pair.what != kind::array || pair.children.size() != 2 ||
          pair.children[0].what != kind::string)
        return fail(pair.at, "expected [\"key\", value] in a dictionary");
      node& key = pair.children[0];
      auto [first, fresh] = keys.try_emplace(key.text, key.at);
      if (!fresh)
        return fail(key.at, "key " + in_quotes(key.text) + " stands twice; the first is at line " +
                                std::to_string(first->second.line));
      node& child = out.children.emplace_back();
      child.key = key.text;
      child.key_at = key.at;
      if (!value(pair.children[1], child, depth + 1)) return false;
    }
    return true;
  }

  bool file_transfer(node& spelled, node& out, std::size_t depth) {
    node* given = member(spelled, "value", kind::dictionary);
    if (!given) return false;
    const node* id = member(*given, "id", kind::string);
    if (!id) return false;
    node* object = member(*given, "object");
    if (!object) return false;
    if (given->children.size() != 2)
      return fail(given->at, "a file_transfer has the members \"id\" and \"object\" only");
    out.what = kind::file_transfer;
    if (!decimal(*id, out.natural) || !value(*object, out.children.emplace_back(), depth + 1))
      return false;
    return out.children.front().what == kind::dictionary ||
           fail(object->at, "the object of a file_transfer must be a dictionary");
  }

  limits most_;
  std::optional<fault> wrong_;
};

class typed_writer {
 public:
  typed_writer(std::string& out, layout shape) : out_(out, shape) {}

  std::optional<fault> write(const node& root) {
    if (value(root)) return {};
    return wrong_;
  }

 private:
  bool fail(std::string_view reason) {
    wrong_ = fault{{}, at_.text() + ": " + std::string(reason)};
    return false;
  }

  /// A value on one line: {"type":T,"value":V}.
  bool leaf(std::string_view type, std::string_view text) {
    out_.begin_tight('{');
    member("type", type);
    member("value", text);
    out_.end('}');
    return true;
  }
  void member(std::string_view name, std::string_view text) {
    out_.name(name);
    out_.string(text);
  }

  bool value(const node& it) {
    switch (it.what) {
      case kind::null:
        return bare("null");
      case kind::boolean:
        out_.begin_tight('{');
        member("type", "bool");
        out_.name("value");
        out_.raw(it.boolean ? "true" : "false");
        out_.end('}');
        return true;
      case kind::integer:
        return leaf("int64", std::to_string(it.integer));
      case kind::natural:
        return leaf("uint64", std::to_string(it.natural));
      case kind::date:
        return leaf("date", std::to_string(it.integer));
      case kind::real:
        return real(it.real);
      case kind::data:
        return leaf("data", write_hex(it.text));
      case kind::uuid:
        return leaf("uuid", write_uuid(it.text));
      case kind::string:
        return base::is_utf8(it.text) ? leaf("string", it.text) : fail("text that is not UTF-8");
      case kind::array:
      case kind::dictionary:
        return container(it);
      case kind::file_transfer:
        out_.begin_tight('{');
        member("type", "file_transfer");
        out_.name("value");
        out_.begin_tight('{');
        member("id", std::to_string(it.natural));
        out_.name("object");
        if (!value(it.children.front())) return false;
        out_.end('}');
        out_.end('}');
        return true;
      case kind::other:
        return bare(it.text);
    }
    return true;
  }

  bool bare(std::string_view type) {
    out_.begin_tight('{');
    member("type", type);
    out_.end('}');
    return true;
  }

  bool real(double number) {
    static constexpr char digits[] = "0123456789abcdef";
    auto pattern = std::bit_cast<std::uint64_t>(number);
    std::string bits = "0x";
    for (int shift = 60; shift >= 0; shift -= 4) bits += digits[pattern >> shift & 15];
    out_.begin_tight('{');
    member("type", "double");
    member("value", format_real(number));
    member("bits", bits);
    out_.end('}');
    return true;
  }

  bool container(const node& it) {
    bool is_dictionary = it.what == kind::dictionary;
    out_.begin_tight('{');
    member("type", is_dictionary ? "dictionary" : "array");
    out_.name("value");
    out_.begin('[');
    for (std::size_t i = 0; i < it.children.size(); ++i) {
      const node& child = it.children[i];
      if (is_dictionary) {
        path::step down(at_, std::string_view(child.key));
        if (!base::is_utf8(child.key)) return fail("a key that is not UTF-8");
        out_.begin_tight('[');
        out_.string(child.key);
        if (!value(child)) return false;
        out_.end(']');
      } else {
        path::step down(at_, i);
        if (!value(child)) return false;
      }
    }
    out_.end(']');
    out_.end('}');
    return true;
  }

  json_text out_;
  path at_;
  std::optional<fault> wrong_;
};

}  // namespace

std::optional<fault> read_typed_json(std::string_view text, node& out, const limits& most) {
  limits of_json = most;
  of_json.depth = levels_a_value * most.depth + levels_a_value;
  of_json.nodes = 4 * most.nodes;  // a leaf in a dictionary: its pair, key, object and two members,
                                   // against 16 bytes at least
  node spelled;
  if (std::optional<fault> wrong = read_json(text, spelled, of_json)) return wrong;
  return typed_reader(most).read(std::move(spelled), out);
}

std::optional<fault> write_typed_json(const node& root, layout shape, std::string& out) {
  std::string text;
  if (std::optional<fault> wrong = typed_writer(text, shape).write(root)) return wrong;
  out = std::move(text);
  return {};
}

}  // namespace openxpc::plist
