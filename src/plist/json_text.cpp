#include "plist/json_text.hpp"

#include "base/utf8.hpp"

namespace openxpc::plist {

void json_text::new_line() {
  out_ += '\n';
  out_.append(2 * indent_, ' ');
}

void json_text::before_value() {
  if (named_) {
    named_ = false;
    return;
  }
  if (open_.empty()) return;
  if (!first_) out_ += ',';
  if (pretty_ && !open_.back()) new_line();
  if (pretty_ && open_.back() && !first_) out_ += ' ';
  first_ = false;
}

void json_text::open(char bracket, bool tight) {
  before_value();
  out_ += bracket;
  open_.push_back(tight);
  if (!tight) ++indent_;
  first_ = true;
}
void json_text::begin(char bracket) { open(bracket, false); }
void json_text::begin_tight(char bracket) { open(bracket, true); }

void json_text::end(char bracket) {
  if (!open_.back()) {
    --indent_;
    if (pretty_ && !first_) new_line();
  }
  open_.pop_back();
  out_ += bracket;
  first_ = false;
}

void json_text::name(std::string_view text) {
  before_value();
  quote(text);
  out_ += pretty_ ? ": " : ":";
  named_ = true;
}

void json_text::string(std::string_view text) {
  before_value();
  quote(text);
}

void json_text::raw(std::string_view text) {
  before_value();
  out_ += text;
}

void json_text::quote(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out_ += '"';
  while (!text.empty()) {
    std::size_t good = base::utf8_prefix(text);  // ends before a NUL, too
    for (char c : text.substr(0, good)) {
      auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (c == '\n') {
        out_ += "\\n";
      } else if (c == '\t') {
        out_ += "\\t";
      } else if (byte < 0x20 || byte == 0x7f) {
        out_ += "\\u00";
        out_ += digits[byte >> 4];
        out_ += digits[byte & 15];
      } else {
        out_ += c;
      }
    }
    text.remove_prefix(good);
    if (text.empty()) break;
    out_ += text.front() ? "\xef\xbf\xbd" : "\\u0000";
    text.remove_prefix(1);
  }
  out_ += '"';
}

}  // namespace openxpc::plist
