// XML property lists as Apple's tools lay them out: a tab a level, data in lines of 68 characters
// beside its tags.

#include "base/utf8.hpp"
#include "plist/bytes_text.hpp"
#include "plist/date.hpp"
#include "plist/number.hpp"
#include "plist/path.hpp"
#include "plist/write.hpp"

namespace openxpc::plist {
namespace {

class xml_writer {
 public:
  explicit xml_writer(std::string& out) : out_(out) {}

  std::optional<fault> write(const node& root) {
    out_ +=
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
        "<plist version=\"1.0\">\n";
    if (!value(root)) return wrong_;
    out_ += "</plist>\n";
    return {};
  }

 private:
  bool fail(const std::string& reason) {
    wrong_ = fault{{}, at_.text() + ": " + reason};
    return false;
  }
  void indent() { out_.append(level_, '\t'); }

  bool element(std::string_view name, std::string_view content) {
    indent();
    out_ += '<';
    out_ += name;
    out_ += '>';
    if (!escaped(content)) return false;
    out_ += "</";
    out_ += name;
    out_ += ">\n";
    return true;
  }

  /// Text as XML can hold it. Control characters cannot even be written as references.
  bool escaped(std::string_view text) {
    if (!base::is_utf8(text)) return fail("text that is not UTF-8");
    for (char c : text) {
      if (c == '&')
        out_ += "&amp;";
      else if (c == '<')
        out_ += "&lt;";
      else if (c == '>')
        out_ += "&gt;";
      else if (c == '\r')
        out_ += "&#13;";  // a bare one would be read as a line feed
      else if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n')
        return fail("a control character, which XML cannot hold");
      else
        out_ += c;
    }
    // U+FFFE and U+FFFF are no XML characters either.
    if (text.find("\xef\xbf\xbe") != std::string_view::npos ||
        text.find("\xef\xbf\xbf") != std::string_view::npos)
      return fail("the character U+FFFE or U+FFFF, which XML cannot hold");
    return true;
  }

  bool value(const node& it) {
    switch (it.what) {
      case kind::boolean:
        indent();
        out_ += it.boolean ? "<true/>\n" : "<false/>\n";
        return true;
      case kind::integer:
        return element("integer", std::to_string(it.integer));
      case kind::natural:
        return element("integer", std::to_string(it.natural));
      case kind::real:
        return element("real", real(it.real));
      case kind::date:
        return element("date", format_date(it.integer));
      case kind::string:
        return element("string", it.text);
      case kind::data:
        return data(it.text);
      case kind::array:
      case kind::dictionary:
        return container(it);
      default:
        return fail("a property list has no form for a value of type " + std::string(type_of(it)));
    }
  }

  /// Not-a-number and the infinities as Apple's tools spell them.
  static std::string real(double number) {
    std::string text = format_real(number);
    if (text == "NaN") return "nan";
    if (text == "Infinity") return "+infinity";
    return text == "-Infinity" ? "-infinity" : text;
  }

  bool data(std::string_view bytes) {
    constexpr std::size_t line = 68;
    std::string text = write_base64(bytes);
    indent();
    out_ += "<data>\n";
    for (std::size_t at = 0; at < text.size(); at += line) {
      indent();
      out_.append(text, at, line);
      out_ += '\n';
    }
    indent();
    out_ += "</data>\n";
    return true;
  }

  bool container(const node& it) {
    bool is_dictionary = it.what == kind::dictionary;
    std::string_view name = is_dictionary ? "dict" : "array";
    indent();
    out_ += '<';
    out_ += name;
    if (it.children.empty()) {
      out_ += "/>\n";
      return true;
    }
    out_ += ">\n";
    ++level_;
    for (std::size_t i = 0; i < it.children.size(); ++i) {
      const node& child = it.children[i];
      if (is_dictionary) {
        path::step down(at_, std::string_view(child.key));
        if (!element("key", child.key) || !value(child)) return false;
      } else {
        path::step down(at_, i);
        if (!value(child)) return false;
      }
    }
    --level_;
    indent();
    out_ += "</";
    out_ += name;
    out_ += ">\n";
    return true;
  }

  std::string& out_;
  path at_;
  std::size_t level_ = 0;
  std::optional<fault> wrong_;
};

}  // namespace

std::optional<fault> write_xml(const node& root, std::string& out) {
  std::string text;
  if (std::optional<fault> wrong = xml_writer(text).write(root)) return wrong;
  out = std::move(text);
  return {};
}

}  // namespace openxpc::plist
