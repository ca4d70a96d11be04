#pragma once

#include <xpc/object.hpp>
#include <xpc/openxpc/plist.h>

/// Property lists and JSON, to objects and back. Link with openxpc::plist (-lxpc-plist). Threads:
/// any.
namespace xpc {

namespace detail {

inline result<object> parsed(xpc_object_t owned, xpc_rich_error_t error) {
  if (owned) return object::adopt_native(owned);
  return failure::adopt_native(error);
}
/// A text of malloc's, as a string.
inline result<std::string> written(void* text, std::size_t size, xpc_rich_error_t error) {
  if (!text) return failure::adopt_native(error);
  std::unique_ptr<void, decltype(&std::free)> owned(text, &std::free);
  return std::string(static_cast<const char*>(text), size);
}
inline const char* name_or_null(const std::string& name) {
  return name.empty() ? nullptr : name.c_str();
}

}  // namespace detail

/// Reads an XML or binary property list, or JSON: the bytes tell which. @param name what failures
/// call it, a file name say. Errors: malformed, "NAME:LINE:COLUMN: reason"; also for what is too
/// large, too deep or has a key twice.
inline result<object> parse_property_list(std::string_view text, std::string_view name = {}) {
  xpc_rich_error_t error = nullptr;
  xpc_object_t owned = openxpc_plist_parse(text.data(), text.size(),
                                           detail::name_or_null(std::string(name)), &error);
  return detail::parsed(owned, error);
}
/// Reads JSON: integers exactly, other numbers as double. Errors as above.
inline result<object> parse_json(std::string_view text, std::string_view name = {}) {
  xpc_rich_error_t error = nullptr;
  xpc_object_t owned =
      openxpc_json_parse(text.data(), text.size(), detail::name_or_null(std::string(name)), &error);
  return detail::parsed(owned, error);
}

/// Reads JSON in which each value says its type, as to_typed_json() writes it. Errors as above.
inline result<object> parse_typed_json(std::string_view text, std::string_view name = {}) {
  xpc_rich_error_t error = nullptr;
  xpc_object_t owned = openxpc_typed_json_parse(text.data(), text.size(),
                                                detail::name_or_null(std::string(name)), &error);
  return detail::parsed(owned, error);
}

/// How a property list is written.
enum class property_list_format { xml, binary };
/// A property list. Errors: invalid_argument, with the path of a value that has no form in it
/// (null, uuid, descriptors and the like).
inline result<std::string> to_property_list(
    const object& what, property_list_format format = property_list_format::xml) {
  xpc_rich_error_t error = nullptr;
  std::size_t size = 0;
  void* text = format == property_list_format::xml
                   ? openxpc_plist_write_xml(what.native_handle(), &size, &error)
                   : openxpc_plist_write_binary(what.native_handle(), &size, &error);
  return detail::written(text, size, error);
}

/// How JSON is written.
enum class json_format { compact, pretty };
/// JSON for people and scripts; dates, uuids, data and what JSON lacks become strings, so it does
/// not read back as the same object. Errors: invalid_argument, nested deeper than 64.
inline result<std::string> to_json(const object& what, json_format format = json_format::compact) {
  xpc_rich_error_t error = nullptr;
  std::size_t size = 0;
  openxpc_json_flags_t flags =
      format == json_format::pretty ? OPENXPC_JSON_PRETTY : OPENXPC_JSON_COMPACT;
  void* text = openxpc_json_write(what.native_handle(), flags, &size, &error);
  return detail::written(text, size, error);
}
/// JSON in which each value says its type, so that nothing is lost but what exists only in this
/// process (descriptors, endpoints, connections). Errors: invalid_argument, nested deeper than 64.
inline result<std::string> to_typed_json(const object& what,
                                         json_format format = json_format::compact) {
  xpc_rich_error_t error = nullptr;
  std::size_t size = 0;
  openxpc_json_flags_t flags =
      format == json_format::pretty ? OPENXPC_JSON_PRETTY : OPENXPC_JSON_COMPACT;
  void* text = openxpc_typed_json_write(what.native_handle(), flags, &size, &error);
  return detail::written(text, size, error);
}

}  // namespace xpc
