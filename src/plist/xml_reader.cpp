// XML property lists. Expat finds the elements; what may stand where is decided here, in one place,
// so that each mistake gets a name. Entities: expat knows the five and character references by
// itself. Any other can only come out of a DOCTYPE, whose own declarations end the reading before
// the first one is looked at (threat T63: "a billion laughs").

#include "plist/bytes_text.hpp"
#include "plist/date.hpp"
#include "plist/number.hpp"
#include "plist/read.hpp"
#include "plist/tree_builder.hpp"

#include <expat.h>

#include <array>
#include <exception>
#include <memory>
#include <utility>

namespace openxpc::plist {
namespace {

enum class element : std::uint8_t {
  plist,
  dict,
  array,
  key,
  string,
  integer,
  real,
  date,
  data,
  yes,
  no
};
constexpr std::array<std::string_view, 11> element_names = {
    "plist", "dict", "array", "key", "string", "integer", "real", "date", "data", "true", "false"};

std::optional<element> find_element(std::string_view name) noexcept {
  for (std::size_t i = 0; i < element_names.size(); ++i)
    if (element_names[i] == name) return static_cast<element>(i);
  return {};
}

/// <name> for a message; the name is cut like any other text of the input.
std::string tag(std::string_view name) {
  std::string said = in_quotes(name);
  return '<' + said.substr(1, said.size() - 2) + '>';
}
std::string tag(element which) { return tag(element_names[static_cast<std::size_t>(which)]); }

class xml_reader {
 public:
  explicit xml_reader(const limits& most) : tree_(most), parser_(XML_ParserCreate(nullptr)) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &on<&xml_reader::start, const char*, const char**>::call,
                          &on<&xml_reader::end, const char*>::call);
    XML_SetCharacterDataHandler(parser_.get(),
                                &on<&xml_reader::characters, const char*, int>::call);
    XML_SetStartDoctypeDeclHandler(
        parser_.get(), &on<&xml_reader::doctype, const char*, const char*, const char*, int>::call);
    XML_SetSkippedEntityHandler(parser_.get(),
                                &on<&xml_reader::skipped_entity, const char*, int>::call);
  }

  std::optional<fault> read(std::string_view text, node& out) {
    XML_Status status =
        XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (thrown_) std::rethrow_exception(thrown_);
    if (status != XML_STATUS_OK && !tree_.failed()) syntax_error();
    return tree_.take(out);
  }

 private:
  /// Expat is C: no exception may pass through it.
  template <auto member, class... A>
  struct on {
    static void XMLCALL call(void* self, A... arguments) noexcept {
      auto& reader = *static_cast<xml_reader*>(self);
      if (reader.stopped_) return;  // expat delivers what it has already found
      try {
        (reader.*member)(arguments...);
      } catch (...) {
        reader.thrown_ = std::current_exception();
      }
      if (!reader.thrown_ && !reader.tree_.failed()) return;
      reader.stopped_ = true;
      XML_StopParser(reader.parser_.get(), XML_FALSE);
    }
  };

  place here() const {
    return {static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get())),
            static_cast<std::uint32_t>(XML_GetCurrentLineNumber(parser_.get())),
            static_cast<std::uint32_t>(XML_GetCurrentColumnNumber(parser_.get()) + 1)};
  }

  void start(const char* name, const char** attributes) {
    std::optional<element> which = find_element(name);
    if (!which) {
      tree_.fail(here(), "unknown element " + tag(name));
      return;
    }
    if (check_attributes(*which, attributes) && check_place(*which)) open(*which);
  }

  bool check_attributes(element which, const char** attributes) {
    for (; *attributes; attributes += 2) {
      std::string_view name = attributes[0];
      if (which != element::plist || name != "version")
        return tree_.fail(here(), tag(which) + " has no attribute " + in_quotes(name));
      if (std::string_view(attributes[1]) != "1.0")
        return tree_.fail(
            here(), "property list version " + in_quotes(attributes[1]) + ", expected \"1.0\"");
    }
    return true;
  }

  bool check_place(element which) {
    if (open_.empty()) {
      if (which != element::plist)
        return tree_.fail(here(), "expected <plist>, found " + tag(which));
      return true;
    }
    if (is_leaf(open_.back().which))
      return tree_.fail(here(), tag(open_.back().which) + " cannot hold " + tag(which));
    if (which == element::plist)
      return tree_.fail(here(), "<plist> inside of " + tag(open_.back().which));
    if (which == element::key) {
      if (!tree_.in_dictionary()) return tree_.fail(here(), "<key> outside of <dict>");
      if (!tree_.wants_key())
        return tree_.fail(tree_.pending_key_place(),
                          "key " + in_quotes(tree_.pending_key()) + " has no value");
      return true;
    }
    if (tree_.wants_key()) return tree_.fail(here(), "expected <key>, found " + tag(which));
    if (tree_.complete()) return tree_.fail(here(), "a second value in <plist>: " + tag(which));
    return true;
  }

  void open(element which) {
    open_.push_back({which, here()});
    if (which == element::dict) tree_.begin(kind::dictionary, here());
    if (which == element::array) tree_.begin(kind::array, here());
    text_.clear();
  }

  void characters(const char* text, int size) {
    std::string_view more(text, static_cast<std::size_t>(size));
    if (!open_.empty() && is_leaf(open_.back().which)) {
      text_ += more;
      return;
    }
    std::size_t blank = 0;
    while (blank < more.size() && is_space(more[blank])) ++blank;
    if (blank == more.size()) return;
    place at = here();
    at.offset += blank;
    at.column += static_cast<std::uint32_t>(blank);
    tree_.fail(at, "text " + in_quotes(trimmed(more)) + " between the elements");
  }

  void end(const char*) {
    opened ended = open_.back();
    open_.pop_back();
    switch (ended.which) {
      case element::plist:
        if (!tree_.complete()) tree_.fail(ended.at, "<plist> without a value");
        return;
      case element::dict:
      case element::array:
        tree_.end();
        return;
      case element::key:
        tree_.key(std::exchange(text_, {}), ended.at);
        return;
      default:
        leaf(ended.which, ended.at);
    }
  }

  void leaf(element which, place at) {
    node value;
    value.at = at;
    if (std::optional<std::string> wrong = interpret(which, value))
      tree_.fail(at, tag(which) + ": " + *wrong);
    else
      tree_.add(std::move(value));
  }

  std::optional<std::string> interpret(element which, node& value) {
    switch (which) {
      case element::integer:
        return read_integer(text_, value);
      case element::real:
        value.what = kind::real;
        return read_real(text_, value.real);
      case element::date:
        value.what = kind::date;
        return read_date(text_, value.integer);
      case element::data:
        value.what = kind::data;
        return read_base64(text_, value.text);
      case element::yes:
      case element::no:
        value.what = kind::boolean;
        value.boolean = which == element::yes;
        if (!text_.empty()) return "must be empty, holds " + in_quotes(text_);
        return {};
      default:
        value.what = kind::string;
        value.text = std::exchange(text_, {});
        return {};
    }
  }

  void doctype(const char* name, const char*, const char*, int has_declarations) {
    if (has_declarations) {
      tree_.fail(here(), "a DOCTYPE with declarations of its own (entities are not allowed)");
    } else if (std::string_view(name) != "plist") {
      tree_.fail(here(), "a DOCTYPE of " + in_quotes(name) + ", expected plist");
    }
  }

  void skipped_entity(const char* name, int) { unknown_entity(in_quotes(name)); }

  void unknown_entity(const std::string& name) {
    tree_.fail(here(),
               "unknown entity" + (name.empty() ? name : ' ' + name) +
                   "; only &lt; &gt; &amp; &quot; &apos; and character references are known");
  }

  void syntax_error() {
    XML_Error code = XML_GetErrorCode(parser_.get());
    if (code == XML_ERROR_NO_MEMORY) throw std::bad_alloc();
    if (code == XML_ERROR_UNDEFINED_ENTITY) return unknown_entity("");
    std::string said = XML_ErrorString(code);
    bool unclosed = code == XML_ERROR_TAG_MISMATCH || code == XML_ERROR_NO_ELEMENTS ||
                    code == XML_ERROR_UNCLOSED_TOKEN;
    if (unclosed && !open_.empty())
      said += "; " + tag(open_.back().which) + " of line " + std::to_string(open_.back().at.line) +
              " is not closed";
    tree_.fail(here(), "XML: " + said);
  }

  static bool is_leaf(element which) noexcept {
    return which != element::plist && which != element::dict && which != element::array;
  }

  struct opened {
    element which;
    place at;
  };
  struct free_parser {
    void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
  };

  tree_builder tree_;
  std::unique_ptr<XML_ParserStruct, free_parser> parser_;
  std::vector<opened> open_;
  std::string text_;  // of the open leaf
  std::exception_ptr thrown_;
  bool stopped_ = false;
};

}  // namespace

std::optional<fault> read_xml(std::string_view text, node& out, const limits& most) {
  if (text.size() > most.bytes)
    return fault{{0, 1, 1}, "longer than " + std::to_string(most.bytes) + " bytes"};
  return xml_reader(most).read(text, out);
}

}  // namespace openxpc::plist
