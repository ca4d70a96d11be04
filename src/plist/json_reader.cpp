// JSON. The library's parser finds the values and calls the functions of json_events; it does not
// recurse. It does not tell where a value stands, so it reads through an iterator that keeps count.

#include "plist/read.hpp"
#include "plist/tree_builder.hpp"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace openxpc::plist {
namespace {

/// Where the parser is, and where the value began that it read last. The parser reads one character
/// beyond a number before it tells of it, which never starts a value: only `, ] }` and white space
/// can follow one.
class json_place {
 public:
  void pass(char c, std::size_t offset) noexcept {
    last_ = next_;
    last_.offset = offset;
    if (in_string_) {
      if (c == '"' && !escaped_) in_string_ = false;
      escaped_ = c == '\\' && !escaped_;
    } else if (c == '"' || c == '{' || c == '[') {
      token_ = last_;
      in_string_ = c == '"';
      in_word_ = false;
    } else {
      bool word = c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9') ||
                  (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (word && !in_word_) token_ = last_;
      in_word_ = word;
    }
    if (c == '\n') {
      ++next_.line;
      next_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++next_.column;  // characters count, not bytes
    }
  }
  place token() const noexcept { return token_; }
  place last() const noexcept { return last_; }

 private:
  place next_{0, 1, 1};
  place last_{0, 1, 1};
  place token_{0, 1, 1};
  bool in_string_ = false, escaped_ = false, in_word_ = false;
};

/// An input iterator over the text that tells `json_place` what it passes.
class watched {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  watched(const char* begin, const char* at, json_place* passed) noexcept
      : begin_(begin), at_(at), passed_(passed) {}
  const char& operator*() const noexcept { return *at_; }
  watched& operator++() noexcept {
    passed_->pass(*at_, static_cast<std::size_t>(at_ - begin_));
    ++at_;
    return *this;
  }
  watched operator++(int) noexcept {
    watched before = *this;
    ++*this;
    return before;
  }
  [[maybe_unused]] friend bool operator==(const watched& a, const watched& b) noexcept {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const watched& a, const watched& b) noexcept { return a.at_ != b.at_; }

 private:
  const char* begin_;
  const char* at_;
  json_place* passed_;
};

/// What the parser calls; false ends the reading. The names are the parser's.
class json_events {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  json_events(const limits& most, const json_place& passed) : tree_(most), passed_(passed) {}

  bool null() { return tree_.add(value(kind::null)); }
  bool boolean(bool yes) {
    node made = value(kind::boolean);
    made.boolean = yes;
    return tree_.add(std::move(made));
  }
  bool number_integer(std::int64_t number) {
    node made = value(kind::integer);
    made.integer = number;
    return tree_.add(std::move(made));
  }
  bool number_unsigned(std::uint64_t number) {
    node made = value(number >> 63 ? kind::natural : kind::integer);
    if (made.what == kind::natural)
      made.natural = number;
    else
      made.integer = static_cast<std::int64_t>(number);
    return tree_.add(std::move(made));
  }
  bool number_float(double number, const std::string& spelled) {
    // The parser turns integers beyond 64 bits into the nearest double.
    if (spelled.find_first_of(".eE") == std::string::npos)
      return tree_.fail(passed_.token(),
                        "the integer " + in_quotes(spelled) + " does not fit in 64 bits");
    node made = value(kind::real);
    made.real = number;
    return tree_.add(std::move(made));
  }
  bool string(std::string& text) {
    node made = value(kind::string);
    made.text = std::move(text);
    return tree_.add(std::move(made));
  }
  bool binary(binary_t&) { return false; }  // only the parser's binary formats have it
  bool start_object(std::size_t) { return tree_.begin(kind::dictionary, passed_.token()); }
  bool key(std::string& name) { return tree_.key(std::move(name), passed_.token()); }
  bool end_object() { return tree_.end(); }
  bool start_array(std::size_t) { return tree_.begin(kind::array, passed_.token()); }
  bool end_array() { return tree_.end(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& problem) {
    constexpr int number_overflow = 406;
    if (problem.id == number_overflow)
      return tree_.fail(passed_.token(), "a number that does not fit in a double");
    // The parser's text without what it says of the place, which is said better here, and without
    // the input that it quotes.
    std::string said = problem.what();
    if (std::size_t at = said.find("syntax error "); at != std::string::npos) said.erase(0, at);
    if (std::size_t at = said.find("; last read:"); at != std::string::npos) said.erase(at);
    // A whole value that came out of place is named where it begins, anything else where reading
    // ended.
    bool whole = said.find("literal;") != std::string::npos;
    return tree_.fail(whole ? passed_.token() : passed_.last(), "JSON: " + said);
  }

  std::optional<fault> take(node& out) { return tree_.take(out); }

 private:
  node value(kind what) const {
    node made;
    made.what = what;
    made.at = passed_.token();
    return made;
  }

  tree_builder tree_;
  const json_place& passed_;
};

}  // namespace

std::optional<fault> read_json(std::string_view text, node& out, const limits& most) {
  if (text.size() > most.bytes)
    return fault{{0, 1, 1}, "longer than " + std::to_string(most.bytes) + " bytes"};
  json_place passed;
  json_events events(most, passed);
  const char* begin = text.data();
  const char* end = begin + text.size();
  nlohmann::json::sax_parse(watched(begin, begin, &passed), watched(begin, end, &passed), &events);
  node found;
  std::optional<fault> wrong = events.take(found);
  // The parser takes a NUL byte for the end of the text, whatever follows it.
  std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos && (!wrong || wrong->at.offset == nul))
    return fault{passed.last(), "JSON: a NUL byte"};
  if (!wrong) out = std::move(found);
  return wrong;
}

}  // namespace openxpc::plist
