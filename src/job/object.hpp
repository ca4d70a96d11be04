#pragma once

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The C objects as xpcd uses them: owned, and filled key by key.
namespace openxpc {

struct release_object {
  void operator()(void* object) const noexcept { ::xpc_release(object); }
};
/// Owns one reference.
using object_ref = std::unique_ptr<void, release_object>;

inline object_ref retain(xpc_object_t borrowed) { return object_ref(::xpc_retain(borrowed)); }

inline object_ref new_dictionary() {
  return object_ref(::xpc_dictionary_create(nullptr, nullptr, 0));
}
inline object_ref new_array() { return object_ref(::xpc_array_create(nullptr, 0)); }
/// Bytes that are no UTF-8 become question marks: what a service prints is not ours to trust.
object_ref new_string(std::string_view text);

inline void set(xpc_object_t dictionary, std::string_view key, object_ref value) {
  ::openxpc_dictionary_put(dictionary, key.data(), key.size(), value.release());
}
inline void set(xpc_object_t dictionary, std::string_view key, std::string_view text) {
  set(dictionary, key, new_string(text));
}
inline void set(xpc_object_t dictionary, std::string_view key, const char* text) {
  set(dictionary, key, std::string_view(text));
}
inline void set(xpc_object_t dictionary, std::string_view key, std::int64_t value) {
  ::openxpc_dictionary_set_int64(dictionary, key.data(), key.size(), value);
}
inline void set_bool(xpc_object_t dictionary, std::string_view key, bool value) {
  ::openxpc_dictionary_set_bool(dictionary, key.data(), key.size(), value);
}
inline void append(xpc_object_t array, object_ref value) {
  ::openxpc_array_put(array, static_cast<std::size_t>(-1), value.release());
}

/// Missing or of another type: nothing.
std::optional<std::string> get_text(xpc_object_t dictionary, std::string_view key);
/// Also a uint64 that fits.
std::optional<std::int64_t> get_integer(xpc_object_t dictionary, std::string_view key);
std::optional<bool> get_bool(xpc_object_t dictionary, std::string_view key);
/// Lent.
inline xpc_object_t get_object(xpc_object_t dictionary, std::string_view key) {
  return ::openxpc_dictionary_get_value(dictionary, key.data(), key.size());
}

/// Calls f with each element, lent; with none of what is no array, or not there.
template <class F>
void each_of(xpc_object_t array, F f) {
  if (array == nullptr || ::xpc_get_type(array) != XPC_TYPE_ARRAY) return;
  const std::size_t count = ::xpc_array_get_count(array);
  for (std::size_t at = 0; at < count; ++at) f(::xpc_array_get_value(array, at));
}
/// The same for the array under a key.
template <class F>
void each_in(xpc_object_t dictionary, std::string_view key, F f) {
  each_of(get_object(dictionary, key), std::move(f));
}

}  // namespace openxpc
