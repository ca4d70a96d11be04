#include "job/object.hpp"

namespace openxpc {

object_ref new_string(std::string_view text) {
  if (xpc_object_t string = ::openxpc_string_create_with_length(text.data(), text.size())) {
    return object_ref(string);
  }
  std::string plain(text);
  for (char& c : plain) {
    if (c == 0 || static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return object_ref(::openxpc_string_create_with_length(plain.data(), plain.size()));
}

std::optional<std::string> get_text(xpc_object_t dictionary, std::string_view key) {
  const char* text = nullptr;
  std::size_t size = 0;
  if (::openxpc_dictionary_get_string_if(dictionary, key.data(), key.size(), &text, &size) !=
      OPENXPC_FOUND) {
    return std::nullopt;
  }
  return std::string(text, size);
}

std::optional<std::int64_t> get_integer(xpc_object_t dictionary, std::string_view key) {
  std::int64_t value = 0;
  if (::openxpc_dictionary_get_int64_if(dictionary, key.data(), key.size(), &value) ==
      OPENXPC_FOUND) {
    return value;
  }
  std::uint64_t large = 0;
  if (::openxpc_dictionary_get_uint64_if(dictionary, key.data(), key.size(), &large) ==
          OPENXPC_FOUND &&
      large <= INT64_MAX) {
    return static_cast<std::int64_t>(large);
  }
  return std::nullopt;
}

std::optional<bool> get_bool(xpc_object_t dictionary, std::string_view key) {
  bool value = false;
  if (::openxpc_dictionary_get_bool_if(dictionary, key.data(), key.size(), &value) !=
      OPENXPC_FOUND) {
    return std::nullopt;
  }
  return value;
}

}  // namespace openxpc
