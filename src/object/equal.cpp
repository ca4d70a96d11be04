#include "object/array.hpp"
#include "object/dictionary.hpp"
#include "object/endpoint.hpp"
#include "object/file_transfer.hpp"
#include "object/value.hpp"

#include <bit>
#include <cstring>

namespace openxpc::object {
namespace {

/// The pairs that are being compared, from the innermost outwards.
struct pair {
  const void *a, *b;
  const pair* outer;
  unsigned depth;
};

bool same(const item& a, const item& b, const pair* inside);

bool same_double(std::uint64_t a, std::uint64_t b) noexcept {
  return a == b || std::bit_cast<double>(a) == std::bit_cast<double>(b);
}

bool same_dictionary(const dictionary& a, const dictionary& b, const pair* inside) {
  return a.count() == b.count() && a.each([&](std::string_view key, const item& value) {
    item other = b.find(key);
    return other && same(value, other, inside);
  });
}

bool same_array(const array& a, const array& b, const pair* inside) {
  return a.count() == b.count() && a.each([&](std::size_t index, const item& value) {
    return same(value, b.find(index), inside);
  });
}

/// Both of one message and never changed: the same bytes are the same value.
bool same_encoding(const item& a, const item& b) noexcept {
  if (a.made() || b.made()) return false;
  auto left = a.encoded().encoded(), right = b.encoded().encoded();
  return left.data() == right.data() && left.size() == right.size();
}

bool same_container(const item& a, const item& b, const pair* inside) {
  object *left = a.as_object(), *right = b.as_object();
  if (left == right) return true;
  pair here{left, right, inside, inside ? inside->depth + 1 : 1};
  if (here.depth > deepest_walk) return false;
  for (const pair* each = inside; each; each = each->outer)
    if (each->a == left && each->b == right) return true;
  switch (left->what()) {
    case OPENXPC_TYPE_DICTIONARY:
      return same_dictionary(*static_cast<dictionary*>(left), *static_cast<dictionary*>(right),
                             &here);
    case OPENXPC_TYPE_ARRAY:
      return same_array(*static_cast<array*>(left), *static_cast<array*>(right), &here);
    default: {
      auto &one = *static_cast<file_transfer*>(left), &other = *static_cast<file_transfer*>(right);
      return one.id() == other.id() && same(item(one.content()), item(other.content()), &here);
    }
  }
}

bool same(const item& a, const item& b, const pair* inside) {
  if (!a || !b || a.what() != b.what()) return false;
  switch (a.what()) {
    case OPENXPC_TYPE_NULL:
      return true;
    case OPENXPC_TYPE_BOOL:
      return a.to_bool() == b.to_bool();
    case OPENXPC_TYPE_INT64:
    case OPENXPC_TYPE_UINT64:
    case OPENXPC_TYPE_DATE:
      return a.to_bits() == b.to_bits();
    case OPENXPC_TYPE_DOUBLE:
      return same_double(a.to_bits(), b.to_bits());
    case OPENXPC_TYPE_STRING:
      return a.to_string() == b.to_string();
    case OPENXPC_TYPE_DATA: {
      auto left = a.to_data(), right = b.to_data();
      return left.size() == right.size() &&
             (left.empty() || std::memcmp(left.data(), right.data(), left.size()) == 0);
    }
    case OPENXPC_TYPE_UUID:
      return std::memcmp(a.to_uuid(), b.to_uuid(), 16) == 0;
    case OPENXPC_TYPE_ENDPOINT:
      return static_cast<endpoint*>(a.as_object())
          ->names_same(*static_cast<endpoint*>(b.as_object()));
    case OPENXPC_TYPE_DICTIONARY:
    case OPENXPC_TYPE_ARRAY:
    case OPENXPC_TYPE_FILE_TRANSFER:
      return same_encoding(a, b) || same_container(a, b, inside);
    default:
      return a.as_object() == b.as_object();
  }
}

}  // namespace

bool equal(const item& a, const item& b) { return same(a, b, nullptr); }

}  // namespace openxpc::object
