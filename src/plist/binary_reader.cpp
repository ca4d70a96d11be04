// Binary property lists ("bplist00"): a header, objects, a table of their offsets, and a trailer of
// 32 bytes that says where the table is and how wide its entries and the references between objects
// are. Objects refer to each other by number, so a list may contain itself, or be small and mean
// something huge; both are found while the tree is built (threat T63).

#include "plist/read.hpp"
#include "plist/tree_builder.hpp"

#include <bit>
#include <cmath>
#include <utility>

namespace openxpc::plist {
namespace {

constexpr std::size_t header_bytes = 8;
constexpr std::size_t trailer_bytes = 32;
/// Seconds between 1970 and 2001, from where these lists count.
constexpr double epoch_seconds = 978307200;

class binary_reader {
 public:
  binary_reader(base::bytes list, const limits& most) : list_(list), tree_(most) {}

  std::optional<fault> read(node& out) {
    if (header()) object(top_);
    return tree_.take(out);
  }

 private:
  static place at(std::size_t offset) noexcept { return {offset, 0, 0}; }
  bool fail(std::size_t offset, std::string text) {
    return tree_.fail(at(offset), std::move(text));
  }

  /// A big-endian number of 1 to 8 bytes that are known to be there.
  std::uint64_t number(std::size_t offset, std::size_t width) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value = value << 8 | std::to_integer<std::uint64_t>(list_[offset + i]);
    return value;
  }
  unsigned byte(std::size_t offset) const noexcept {
    return std::to_integer<unsigned>(list_[offset]);
  }

  bool header() {
    if (!base::as_text(list_).starts_with("bplist00"))
      return fail(0, "not a binary property list of version 00");
    if (list_.size() < header_bytes + trailer_bytes + 1)
      return fail(list_.size(), "cut: no room for an object and the trailer");
    std::size_t trailer = list_.size() - trailer_bytes;
    offset_width_ = byte(trailer + 6);
    reference_width_ = byte(trailer + 7);
    std::uint64_t count = number(trailer + 8, 8);
    std::uint64_t top = number(trailer + 16, 8);
    std::uint64_t table = number(trailer + 24, 8);
    if (offset_width_ < 1 || offset_width_ > 8)
      return fail(trailer + 6, "offsets of " + std::to_string(offset_width_) + " bytes");
    if (reference_width_ < 1 || reference_width_ > 8)
      return fail(trailer + 7, "references of " + std::to_string(reference_width_) + " bytes");
    if (count < 1 || count > list_.size())
      return fail(trailer + 8,
                  std::to_string(count) + " objects in " + std::to_string(list_.size()) + " bytes");
    if (top >= count)
      return fail(trailer + 16, "the top object is number " + std::to_string(top) + " of " +
                                    std::to_string(count));
    // With at most as many objects as bytes (64 MiB) and 8 bytes an entry nothing here overflows.
    if (table <= header_bytes || table > trailer || trailer - table != count * offset_width_)
      return fail(trailer + 24, "the table of " + std::to_string(count) +
                                    " offsets does not fill the bytes from " +
                                    std::to_string(table) + " to the trailer");
    count_ = static_cast<std::size_t>(count);
    table_ = static_cast<std::size_t>(table);
    top_ = static_cast<std::size_t>(top);
    inside_.assign(count_, false);
    return true;
  }

  /// Reads object number `index`. The depth of recursion is that of the tree, which the builder
  /// bounds.
  bool object(std::size_t index) {
    std::uint64_t where = number(table_ + index * offset_width_, offset_width_);
    if (where < header_bytes || where >= table_)
      return fail(table_ + index * offset_width_, "object " + std::to_string(index) + " lies at " +
                                                      std::to_string(where) +
                                                      ", outside of the objects");
    auto offset = static_cast<std::size_t>(where);
    if (inside_[index]) return fail(offset, "object " + std::to_string(index) + " contains itself");
    unsigned marker = byte(offset);
    unsigned low = marker & 15;
    switch (marker >> 4) {
      case 0x0:
        return simple(offset, low);
      case 0x1:
        return integer(offset, low);
      case 0x2:
        return real(offset, low);
      case 0x3:
        return low == 3 ? date(offset) : unknown(offset);
      case 0x4:
      case 0x5:
      case 0x6:
        return text(offset, marker >> 4, low);
      case 0x8:
        return fail(offset, "a UID, the reference of a keyed archive, which has no XPC type");
      case 0xa:
      case 0xd:
        return container(offset, index, marker >> 4 == 0xd, low);
      case 0xb:
      case 0xc:
        return fail(offset, "a set, which has no XPC type");
      default:
        return unknown(offset);
    }
  }

  bool unknown(std::size_t offset) {
    return fail(offset, "unknown marker " + std::to_string(byte(offset)));
  }

  /// Are there `count` bytes of object after `from`?
  bool room(std::size_t offset, std::size_t from, std::uint64_t count) {
    if (count <= table_ - from) return true;
    return fail(offset, "the object reaches beyond the last object's end");
  }

  node value(kind what, std::size_t offset) const {
    node made;
    made.what = what;
    made.at = at(offset);
    return made;
  }

  bool simple(std::size_t offset, unsigned low) {
    node made = value(low ? kind::boolean : kind::null, offset);
    if (low != 0 && low != 8 && low != 9) return unknown(offset);
    made.boolean = low == 9;
    return tree_.add(std::move(made));
  }

  bool integer(std::size_t offset, unsigned low) {
    std::size_t width = std::size_t{1} << low;
    if (low > 4) return fail(offset, "an integer of " + std::to_string(width) + " bytes");
    if (!room(offset, offset + 1, width)) return false;
    std::size_t from = offset + 1;
    bool negative = false;
    if (width == 16) {  // only for what does not fit in 8: a sign, or the upper half of uint64
      std::uint64_t high = number(from, 8);
      from += 8;
      width = 8;
      negative = high == ~std::uint64_t{0};
      if ((high && !negative) || (negative && !(number(from, 8) >> 63)))
        return fail(offset, "an integer that does not fit in 64 bits");
      if (!negative) return whole(offset, number(from, 8), false);
    }
    return whole(offset, number(from, width), width == 8);
  }

  bool whole(std::size_t offset, std::uint64_t bits, bool is_signed) {
    node made = value(!is_signed && bits >> 63 ? kind::natural : kind::integer, offset);
    if (made.what == kind::natural)
      made.natural = bits;
    else
      made.integer = static_cast<std::int64_t>(bits);
    return tree_.add(std::move(made));
  }

  bool real(std::size_t offset, unsigned low) {
    if (low != 2 && low != 3)
      return fail(offset, "a real of " + std::to_string(1u << low) + " bytes");
    if (!room(offset, offset + 1, low == 2 ? 4 : 8)) return false;
    node made = value(kind::real, offset);
    made.real = low == 2 ? std::bit_cast<float>(static_cast<std::uint32_t>(number(offset + 1, 4)))
                         : std::bit_cast<double>(number(offset + 1, 8));
    return tree_.add(std::move(made));
  }

  bool date(std::size_t offset) {
    if (!room(offset, offset + 1, 8)) return false;
    double since_2001 = std::bit_cast<double>(number(offset + 1, 8));
    constexpr double most = 9223372036.0;  // seconds whose nanoseconds fit
    if (!(since_2001 + epoch_seconds > -most && since_2001 + epoch_seconds < most))
      return fail(offset,
                  "a date outside of what 64 bits of nanoseconds hold (1677-09-21 to 2262-04-11)");
    node made = value(kind::date, offset);
    // The fraction on its own: it would lose bits in the larger sum.
    double seconds = std::floor(since_2001);
    made.integer = (static_cast<std::int64_t>(seconds) + static_cast<std::int64_t>(epoch_seconds)) *
                       1'000'000'000 +
                   std::llround((since_2001 - seconds) * 1e9);
    return tree_.add(std::move(made));
  }

  /// The count behind a marker: its low half, or an integer of its own when that is 15. Moves
  /// `from` to what follows.
  bool length(std::size_t offset, unsigned low, std::size_t& from, std::uint64_t& count) {
    from = offset + 1;
    count = low;
    if (low != 15) return true;
    if (!room(offset, from, 1)) return false;
    unsigned marker = byte(from);
    std::size_t width = std::size_t{1} << (marker & 15);
    if (marker >> 4 != 1 || width > 8)
      return fail(from, "a count that is no integer of up to 8 bytes");
    if (!room(offset, from + 1, width)) return false;
    count = number(from + 1, width);
    from += 1 + width;
    return true;
  }

  bool text(std::size_t offset, unsigned type, unsigned low) {
    std::string content;
    if (!characters(offset, type, low, content)) return false;
    node made = value(type == 4 ? kind::data : kind::string, offset);
    made.text = std::move(content);
    return tree_.add(std::move(made));
  }

  /// What data, an ASCII string or a UTF-16 string (types 4, 5, 6) holds, as bytes or as UTF-8.
  bool characters(std::size_t offset, unsigned type, unsigned low, std::string& out) {
    std::size_t from = 0;
    std::uint64_t count = 0;
    if (!length(offset, low, from, count)) return false;
    if (count > list_.size()) return room(offset, from, count);
    if (!room(offset, from, type == 6 ? 2 * count : count)) return false;
    auto size = static_cast<std::size_t>(count);
    if (type == 6) return utf16(from, size, out);
    out.assign(base::as_text(list_.subspan(from, size)));
    if (type == 5)
      for (std::size_t i = 0; i < size; ++i)
        if (byte(from + i) > 0x7f) return fail(from + i, "a byte beyond ASCII in an ASCII string");
    return true;
  }

  bool utf16(std::size_t from, std::size_t units, std::string& out) {
    for (std::size_t i = 0; i < units; ++i) {
      auto point = static_cast<std::uint32_t>(number(from + 2 * i, 2));
      if (point >= 0xd800 && point < 0xe000) {
        std::uint64_t second = i + 1 < units ? number(from + 2 * i + 2, 2) : 0;
        if (point >= 0xdc00 || second < 0xdc00 || second >= 0xe000)
          return fail(from + 2 * i, "half of a surrogate pair in a string");
        point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
        ++i;
      }
      append_utf8(point, out);
    }
    return true;
  }

  static void append_utf8(std::uint32_t point, std::string& out) {
    if (point < 0x80) {
      out += static_cast<char>(point);
      return;
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static constexpr unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    out += static_cast<char>(lead[more] | point >> (6 * more));
    while (more--) out += static_cast<char>(0x80 | (point >> (6 * more) & 63));
  }

  bool container(std::size_t offset, std::size_t index, bool is_dictionary, unsigned low) {
    std::size_t from = 0;
    std::uint64_t announced = 0;
    if (!length(offset, low, from, announced)) return false;
    if (announced > list_.size()) return room(offset, from, announced);
    auto count = static_cast<std::size_t>(announced);
    std::size_t references = is_dictionary ? 2 * count : count;
    if (!room(offset, from, references * reference_width_)) return false;
    if (!tree_.begin(is_dictionary ? kind::dictionary : kind::array, at(offset))) return false;
    inside_[index] = true;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t child = 0;
      if (is_dictionary && (!reference(from + i * reference_width_, child) || !key(child)))
        return false;
      std::size_t place_of_child = from + (is_dictionary ? count + i : i) * reference_width_;
      if (!reference(place_of_child, child) || !object(child)) return false;
    }
    inside_[index] = false;
    return tree_.end();
  }

  bool reference(std::size_t offset, std::size_t& index) {
    std::uint64_t to = number(offset, reference_width_);
    if (to >= count_)
      return fail(offset,
                  "a reference to object " + std::to_string(to) + " of " + std::to_string(count_));
    index = static_cast<std::size_t>(to);
    return true;
  }

  bool key(std::size_t index) {
    std::uint64_t where = number(table_ + index * offset_width_, offset_width_);
    if (where < header_bytes || where >= table_)
      return fail(table_ + index * offset_width_, "object " + std::to_string(index) + " lies at " +
                                                      std::to_string(where) +
                                                      ", outside of the objects");
    auto offset = static_cast<std::size_t>(where);
    unsigned type = byte(offset) >> 4;
    if (type != 5 && type != 6) return fail(offset, "a key that is not a string");
    std::string name;
    return characters(offset, type, byte(offset) & 15, name) &&
           tree_.key(std::move(name), at(offset));
  }

  base::bytes list_;
  tree_builder tree_;
  std::size_t offset_width_ = 0, reference_width_ = 0, count_ = 0, table_ = 0, top_ = 0;
  std::vector<bool> inside_;  // the containers that are being read
};

}  // namespace

std::optional<fault> read_binary(base::bytes list, node& out, const limits& most) {
  if (list.size() > most.bytes)
    return fault{{}, "longer than " + std::to_string(most.bytes) + " bytes"};
  return binary_reader(list, most).read(out);
}

}  // namespace openxpc::plist
