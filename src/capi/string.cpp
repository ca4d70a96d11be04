#include "object/string.hpp"

#include "base/utf8.hpp"
#include "capi/handle.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <cstdio>
#include <cstdlib>

namespace capi = openxpc::capi;
namespace object = openxpc::object;

xpc_object_t xpc_string_create(const char* text) {
  capi::need_pointer(text, "the string", __func__);
  return capi::give(object::string::copy_of(text));
}

xpc_object_t xpc_string_create_with_format(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  xpc_object_t made = xpc_string_create_with_format_and_arguments(format, arguments);
  va_end(arguments);
  return made;
}

xpc_object_t xpc_string_create_with_format_and_arguments(const char* format, va_list arguments) {
  capi::need_pointer(format, "the format", __func__);
  char* text = nullptr;
  int length = ::vasprintf(&text, format, arguments);
  if (length < 0) return nullptr;
  // "%c" can print a NUL: the text ends there, as it does for whoever reads it.
  auto made = object::string::copy_of(std::string_view(text));
  std::free(text);
  return capi::give(std::move(made));
}

xpc_object_t openxpc_string_create_with_length(const char* text, size_t length) {
  if (length) capi::need_pointer(text, "the string", __func__);
  std::string_view content(text, length);
  if (!openxpc::base::is_utf8(content)) return nullptr;
  return capi::give(object::string::copy_of(content));
}

size_t xpc_string_get_length(xpc_object_t xstring) {
  auto* any = object::as<object::string>(xstring);
  return any ? any->text().size() : 0;
}

const char* xpc_string_get_string_ptr(xpc_object_t xstring) {
  auto* any = object::as<object::string>(xstring);
  return any ? any->c_str() : nullptr;
}

const char* openxpc_string_get_text(xpc_object_t xstring, size_t* length) {
  auto* any = object::as<object::string>(xstring);
  if (!any) return nullptr;
  if (length) *length = any->text().size();
  return any->c_str();
}
