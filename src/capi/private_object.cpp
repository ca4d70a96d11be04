// The functions of <xpc/private.h> on objects.
#include "base/misuse.hpp"
#include "bootstrap/termination.hpp"
#include "capi/handle.hpp"
#include "object/describe.hpp"
#include "object/endpoint.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

#include <xpc/private.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>

namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

/// 2001-01-01 in seconds from 1970-01-01.
constexpr double absolute_epoch = 978307200;

/// Takes ": 0x55..." out of "<string: 0x55...>" outside quotes.
std::string without_addresses(const std::string& text) {
  std::string clean;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (quoted && text[at] == '\\' && at + 1 < text.size()) {
      clean += text[at++];
    } else if (!quoted && text.compare(at, 4, ": 0x") == 0 && text.find('>', at) != text.npos) {
      const std::size_t end = text.find_first_not_of("0123456789abcdef", at + 4);
      if (end != text.npos && text[end] == '>') at = end;
    }
    clean += text[at];
  }
  return clean;
}

char* given(const std::string& text) { return ::strdup(text.c_str()); }

}  // namespace

xpc_object_t xpc_string_create_no_copy(char* owned_text) {
  capi::need_pointer(owned_text, "the string", __func__);
  std::unique_ptr<char, void (*)(void*)> freed(owned_text, std::free);
  return capi::give(object::string::copy_of(owned_text));
}

xpc_object_t xpc_date_create_absolute(double seconds) {
  const double nanoseconds = (seconds + absolute_epoch) * 1e9;
  std::int64_t value = 0;
  if (nanoseconds >= 0x1p63)
    value = INT64_MAX;
  else if (nanoseconds < -0x1p63)
    value = INT64_MIN;
  else if (!std::isnan(nanoseconds))
    value = static_cast<std::int64_t>(nanoseconds);
  return capi::give(object::make_date(value));
}

double xpc_date_get_value_absolute(xpc_object_t date) {
  return static_cast<double>(xpc_date_get_value(date)) / 1e9 - absolute_epoch;
}

bool xpc_date_is_int64_range(xpc_object_t date) { return xpc_get_type(date) == XPC_TYPE_DATE; }

int xpc_endpoint_compare(xpc_endpoint_t endpoint1, xpc_endpoint_t endpoint2) {
  auto& one = capi::need_as<object::endpoint>(endpoint1, __func__);
  auto& other = capi::need_as<object::endpoint>(endpoint2, __func__);
  const auto order =
      std::tuple(one.device(), one.inode()) <=> std::tuple(other.device(), other.inode());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

char* xpc_copy_clean_description(xpc_object_t handle) {
  return given(without_addresses(object::describe(capi::need(handle, __func__))));
}

char* xpc_copy_short_description(xpc_object_t handle) {
  const std::string whole = object::describe(capi::need(handle, __func__));
  return given(whole.substr(0, whole.find('\n')));
}

char* xpc_dictionary_copy_basic_description(xpc_object_t dictionary) {
  (void)capi::need_as<object::dictionary>(dictionary, __func__);
  return xpc_copy_short_description(dictionary);
}

char* xpc_copy_debug_description(xpc_object_t handle) {
  return given(object::describe(capi::need(handle, __func__)));
}

const char* xpc_strerror(int error) {
  const char* text = ::strerrordesc_np(error);
  return text ? text : "Unknown error";
}

void xpc_transaction_exit_clean(void) { openxpc::bootstrap::request_termination(); }
