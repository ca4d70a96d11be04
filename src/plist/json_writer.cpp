#include "plist/bytes_text.hpp"
#include "plist/date.hpp"
#include "plist/json_text.hpp"
#include "plist/number.hpp"
#include "plist/write.hpp"

namespace openxpc::plist {
namespace {

void write(json_text& out, const node& value) {
  switch (value.what) {
    case kind::null:
      return out.raw("null");
    case kind::boolean:
      return out.raw(value.boolean ? "true" : "false");
    case kind::integer:
      return out.raw(std::to_string(value.integer));
    case kind::natural:
      return out.raw(std::to_string(value.natural));
    case kind::real: {
      std::string text = format_real(value.real);
      bool is_word = text.find_first_of("Ny") != std::string::npos;  // NaN, Infinity
      return is_word ? out.string(text) : out.raw(text);
    }
    case kind::date:
      return out.string(format_date(value.integer));
    case kind::data:
      return out.string("data:;base64," + write_base64(value.text));
    case kind::string:
      return out.string(value.text);
    case kind::uuid:
      return out.string(write_uuid(value.text));
    case kind::array:
      out.begin('[');
      for (const node& child : value.children) write(out, child);
      return out.end(']');
    case kind::dictionary:
      out.begin('{');
      for (const node& child : value.children) {
        out.name(child.key);
        write(out, child);
      }
      return out.end('}');
    case kind::file_transfer:
      out.begin('{');
      out.name("file_transfer");
      out.raw(std::to_string(value.natural));
      out.name("object");
      write(out, value.children.front());
      return out.end('}');
    case kind::other:
      return out.string('<' + value.text + '>');
  }
}

}  // namespace

std::string write_json(const node& root, layout shape) {
  std::string text;
  json_text out(text, shape);
  write(out, root);
  return text;
}

}  // namespace openxpc::plist
