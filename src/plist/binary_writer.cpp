// Binary property lists: see binary_reader.cpp for the form. A first walk numbers the objects, so
// that the width of a reference is known; equal strings, keys above all, are written once. A second
// walk writes them in the order of their numbers.

#include "base/utf8.hpp"
#include "plist/path.hpp"
#include "plist/write.hpp"

#include <bit>
#include <cmath>
#include <map>

namespace openxpc::plist {
namespace {

void append_number(std::string& out, std::uint64_t number, std::size_t width) {
  while (width--) out += static_cast<char>(number >> (8 * width) & 255);
}

/// The fewest bytes (1, 2, 4 or 8) that hold a number.
std::size_t width_of(std::uint64_t number) noexcept {
  return number < 0x100 ? 1 : number < 0x10000 ? 2 : number < 0x100000000 ? 4 : 8;
}

class binary_writer {
 public:
  std::optional<fault> write(const node& root, std::string& out) {
    if (!number_value(root)) return wrong_;
    reference_width_ = width_of(objects_.size() - 1);
    text_ = "bplist00";
    std::vector<std::size_t> offsets;
    offsets.reserve(objects_.size());
    for (const object& each : objects_) {
      offsets.push_back(text_.size());
      put(each);
    }
    std::size_t table = text_.size();
    std::size_t offset_width = width_of(table);
    for (std::size_t offset : offsets) append_number(text_, offset, offset_width);
    text_.append(6, '\0');
    append_number(text_, offset_width, 1);
    append_number(text_, reference_width_, 1);
    append_number(text_, objects_.size(), 8);
    append_number(text_, 0, 8);  // the root is the first object
    append_number(text_, table, 8);
    out = std::move(text_);
    return {};
  }

 private:
  struct object {
    const node* value = nullptr;          // null for a string that only `text` holds
    const std::string* text = nullptr;    // string
    std::vector<std::size_t> references;  // of a container; of a dictionary the keys first
  };

  bool fail(const std::string& reason) {
    wrong_ = fault{{}, at_.text() + ": " + reason};
    return false;
  }

  /// Gives a string a number, or finds the one that an equal string has.
  bool number_string(const std::string& text, std::size_t& index) {
    if (!base::is_utf8(text)) return fail("text that is not UTF-8");
    auto [known, fresh] = strings_.try_emplace(text, objects_.size());
    index = known->second;
    if (fresh) objects_.push_back({nullptr, &text, {}});
    return true;
  }

  bool number_value(const node& value) {
    std::size_t index = 0;
    return number_value(value, index);
  }
  bool number_value(const node& value, std::size_t& index) {
    switch (value.what) {
      case kind::string:
        return number_string(value.text, index);
      case kind::boolean:
      case kind::integer:
      case kind::natural:
      case kind::real:
      case kind::date:
      case kind::data:
        index = objects_.size();
        objects_.push_back({&value, nullptr, {}});
        return true;
      case kind::array:
      case kind::dictionary:
        return number_container(value, index);
      default:
        return fail("a property list has no form for a value of type " +
                    std::string(type_of(value)));
    }
  }

  bool number_container(const node& value, std::size_t& index) {
    index = objects_.size();
    objects_.push_back({&value, nullptr, {}});
    std::vector<std::size_t> keys, values;
    for (std::size_t i = 0; i < value.children.size(); ++i) {
      const node& child = value.children[i];
      if (value.what == kind::dictionary) {
        path::step down(at_, std::string_view(child.key));
        if (!number_string(child.key, keys.emplace_back()) ||
            !number_value(child, values.emplace_back()))
          return false;
      } else {
        path::step down(at_, i);
        if (!number_value(child, values.emplace_back())) return false;
      }
    }
    keys.insert(keys.end(), values.begin(), values.end());
    objects_[index].references = std::move(keys);
    return true;
  }

  /// A marker whose low half is a count; from 15 on the count follows as an integer.
  void marker(unsigned type, std::size_t count) {
    text_ += static_cast<char>(type << 4 | (count < 15 ? count : 15));
    if (count >= 15) integer(count);
  }

  /// 1, 2 and 4 bytes are unsigned, 8 are signed; beyond it takes 16.
  void integer(std::uint64_t number) {
    std::size_t width = width_of(number);
    if (number >> 63) {
      text_ += '\x14';
      append_number(text_, 0, 8);
    } else {
      text_ += static_cast<char>(0x10 | std::countr_zero(width));
    }
    append_number(text_, number, width);
  }

  void put(const object& each) {
    if (each.text) return put_string(*each.text);
    const node& value = *each.value;
    switch (value.what) {
      case kind::boolean:
        text_ += value.boolean ? '\x09' : '\x08';
        return;
      case kind::integer:
        if (value.integer >= 0) return integer(static_cast<std::uint64_t>(value.integer));
        text_ += '\x13';
        return append_number(text_, static_cast<std::uint64_t>(value.integer), 8);
      case kind::natural:
        return integer(value.natural);
      case kind::real:
        text_ += '\x23';
        return append_number(text_, std::bit_cast<std::uint64_t>(value.real), 8);
      case kind::date:
        return put_date(value.integer);
      case kind::data:
        marker(4, value.text.size());
        text_ += value.text;
        return;
      default:
        marker(value.what == kind::array ? 0xa : 0xd, value.children.size());
        for (std::size_t to : each.references) append_number(text_, to, reference_width_);
    }
  }

  void put_date(std::int64_t nanoseconds) {
    constexpr std::int64_t second = 1'000'000'000;
    constexpr std::int64_t epoch_seconds = 978307200;  // from 1970 to 2001
    double seconds = static_cast<double>(nanoseconds / second - epoch_seconds);
    double since_2001 = seconds + static_cast<double>(nanoseconds % second) / 1e9;
    text_ += '\x33';
    append_number(text_, std::bit_cast<std::uint64_t>(since_2001), 8);
  }

  void put_string(const std::string& text) {
    bool ascii = true;
    for (char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    if (ascii) {
      marker(5, text.size());
      text_ += text;
      return;
    }
    std::string units = utf16(text);
    marker(6, units.size() / 2);
    text_ += units;
  }

  /// Big-endian UTF-16 of valid UTF-8.
  static std::string utf16(const std::string& text) {
    std::string units;
    for (std::size_t i = 0; i < text.size();) {
      auto lead = static_cast<unsigned char>(text[i]);
      std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
      std::uint32_t point = more ? lead & (0x3fu >> more) : lead;
      for (std::size_t k = 1; k <= more; ++k)
        point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3f);
      i += more + 1;
      if (point < 0x10000) {
        append_number(units, point, 2);
      } else {
        append_number(units, 0xd800 + ((point - 0x10000) >> 10), 2);
        append_number(units, 0xdc00 + ((point - 0x10000) & 0x3ff), 2);
      }
    }
    return units;
  }

  std::vector<object> objects_;
  std::map<std::string_view, std::size_t> strings_;
  std::size_t reference_width_ = 1;
  std::string text_;
  path at_;
  std::optional<fault> wrong_;
};

}  // namespace

std::optional<fault> write_binary(const node& root, std::string& out) {
  return binary_writer().write(root, out);
}

}  // namespace openxpc::plist
