#pragma once

#include "base/utf8.hpp"
#include "capi/stored.hpp"
#include "object/dictionary.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

namespace openxpc::capi {

/// Plain values on their way into a dictionary: written as they will travel while that is possible,
/// as objects otherwise.
template <class T, class Make>
void put_plain(object::dictionary& in, std::string_view key, wire::tag what, const T& content,
               Make make) {
  if (!in.grow({key, what, std::as_bytes(std::span<const T, 1>(&content, 1))}))
    in.set(key, make(content));
}

inline void put_bool(object::dictionary& in, std::string_view key, bool value) {
  put_plain(in, key, wire::tag::boolean, std::uint32_t{value}, [](std::uint32_t content) {
    return object::ref<object::object>::adopt(object::the_bool(content != 0));
  });
}
inline void put_int64(object::dictionary& in, std::string_view key, std::int64_t value) {
  put_plain(in, key, wire::tag::int64, value, object::make_int64);
}
inline void put_uint64(object::dictionary& in, std::string_view key, std::uint64_t value) {
  put_plain(in, key, wire::tag::uint64, value, object::make_uint64);
}
inline void put_double(object::dictionary& in, std::string_view key, double value) {
  put_plain(in, key, wire::tag::real, value, object::make_double);
}
inline void put_date(object::dictionary& in, std::string_view key, std::int64_t nanoseconds) {
  put_plain(in, key, wire::tag::date, nanoseconds, object::make_date);
}
inline void put_uuid(object::dictionary& in, std::string_view key, const unsigned char* bytes,
                     const char* function) {
  need_pointer(bytes, "the UUID", function);
  if (!in.grow({key, wire::tag::uuid, {reinterpret_cast<const std::byte*>(bytes), 16}}))
    in.set(key, uuid_of(bytes, function));
}
inline void put_data(object::dictionary& in, std::string_view key, const void* bytes,
                     std::size_t size, const char* function) {
  if (size) need_pointer(bytes, "the bytes", function);
  if (!in.grow({key, wire::tag::data, {static_cast<const std::byte*>(bytes), size}}))
    in.set(key, data_of(bytes, size, function));
}
/// @param is_utf8  whether `text` may be sent; without a NUL inside in any case.
inline void put_string(object::dictionary& in, std::string_view key, std::string_view text,
                       bool is_utf8) {
  if (!is_utf8 || !in.grow({key, wire::tag::string, base::as_bytes(text)}))
    in.set(key, object::string::copy_of(text));
}

}  // namespace openxpc::capi
