// A dictionary made of all its entries at once, as the C++ API does for `{{"key", value}, ...}`.
#include "base/utf8.hpp"
#include "capi/handle.hpp"
#include "object/dictionary.hpp"

#include <xpc/openxpc/value.h>

#include <new>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;
namespace wire = openxpc::wire;

namespace {

constexpr std::size_t most_at_once = 16;

template <class T>
base::bytes bytes_of(const T& value) noexcept {
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

/// What a value is on the wire; false where it is no plain one.
bool is_plain(const openxpc_value_t& value, object::plain_entry& out) noexcept {
  static constexpr std::uint32_t truth[] = {0, 1};
  switch (value.type) {
    case OPENXPC_TYPE_BOOL:
      out.what = wire::tag::boolean;
      out.content = bytes_of(truth[value.as.boolean]);
      return true;
    case OPENXPC_TYPE_INT64:
      out.what = wire::tag::int64;
      out.content = bytes_of(value.as.int64);
      return true;
    case OPENXPC_TYPE_UINT64:
      out.what = wire::tag::uint64;
      out.content = bytes_of(value.as.uint64);
      return true;
    case OPENXPC_TYPE_DOUBLE:
      out.what = wire::tag::real;
      out.content = bytes_of(value.as.real);
      return true;
    case OPENXPC_TYPE_DATE:
      out.what = wire::tag::date;
      out.content = bytes_of(value.as.int64);
      return true;
    case OPENXPC_TYPE_UUID:
      out.what = wire::tag::uuid;
      out.content = {static_cast<const std::byte*>(value.as.bytes), 16};
      return value.as.bytes != nullptr;
    case OPENXPC_TYPE_DATA:
      out.what = wire::tag::data;
      out.content = {static_cast<const std::byte*>(value.as.bytes), value.size};
      return value.as.bytes != nullptr || value.size == 0;
    case OPENXPC_TYPE_STRING:
      out.what = wire::tag::string;
      out.content = {reinterpret_cast<const std::byte*>(value.as.text), value.size};
      return (value.as.text != nullptr || value.size == 0) &&
             base::is_utf8(base::as_text(out.content));
    default:
      return false;
  }
}

/// Room for entries that are made one by one: most dictionaries have few, and clearing room for
/// all takes longer than writing them.
union entry_room {
  entry_room() noexcept {}
  object::plain_entry at[most_at_once];
};

/// Null where the entries have to be written one by one, or are misuse, which that will say.
object::ref<object::dictionary> filled(std::span<const openxpc_entry_t> entries) {
  if (entries.size() > most_at_once) return nullptr;
  entry_room plain;
  std::size_t count = 0;
  for (const openxpc_entry_t& each : entries) {
    object::plain_entry& to = *new (&plain.at[count++]) object::plain_entry;
    if (each.object != nullptr || each.key == nullptr || !is_plain(*each.value, to)) return nullptr;
    to.key = {each.key, each.key_length};
  }
  return object::dictionary::filled({plain.at, count});
}

}  // namespace

xpc_object_t openxpc_dictionary_create_with(const openxpc_entry_t* entries, size_t count) {
  if (count) capi::need_pointer(entries, "the array of entries", __func__);
  const std::span<const openxpc_entry_t> all(entries, count);
  if (auto made = filled(all)) return capi::give(std::move(made));
  xpc_object_t made = openxpc_dictionary_create();
  for (const openxpc_entry_t& each : all) {
    if (each.object != nullptr)
      openxpc_dictionary_set_value(made, each.key, each.key_length, each.object);
    else
      openxpc_dictionary_write(made, each.key, each.key_length, each.value);
  }
  return made;
}
