// Rich errors: <xpc/rich_error.h> and <xpc/openxpc/error.h>.
#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "object/rich_error.hpp"

#include <xpc/openxpc/error.h>
#include <xpc/rich_error.h>

#include <cstdlib>
#include <cstring>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

object::rich_error* error_of(xpc_rich_error_t handle) noexcept {
  return object::as<object::rich_error>(handle);
}

std::string_view text_or_none(const char* text) noexcept {
  return text ? std::string_view(text) : std::string_view();
}

xpc_rich_error_t give(object::ref<object::rich_error> owned) noexcept {
  return static_cast<xpc_rich_error_t>(capi::give(std::move(owned)));
}

}  // namespace

const char* openxpc_error_code_name(openxpc_error_code_t code) { return object::name_of(code); }

xpc_rich_error_t openxpc_error_create(const openxpc_error_parts_t* given) {
  capi::need_pointer(given, "the parts", __func__);
  if (given->struct_size < sizeof(size_t) + sizeof(openxpc_error_code_t))
    base::misuse(__func__, "struct_size is %zu", given->struct_size);
  // A program built against an older or newer header brings a shorter or longer structure.
  openxpc_error_parts_t parts{};
  std::memcpy(&parts, given, std::min(given->struct_size, sizeof parts));
  object::error_parts made;
  made.code = parts.code;
  made.flags = parts.flags;
  made.domain = text_or_none(parts.domain);
  made.number = parts.number;
  made.message = text_or_none(parts.message);
  made.remedy = text_or_none(parts.remedy);
  if (parts.cause) made.cause = &capi::need_as<object::rich_error>(parts.cause, __func__);
  made.exit_status = parts.exit_status;
  return give(object::rich_error::create(made));
}

openxpc_error_code_t openxpc_error_get_code(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->code() : OPENXPC_ERROR_NONE;
}
openxpc_error_flags_t openxpc_error_get_flags(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->flags() : 0;
}
const char* openxpc_error_get_domain(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->domain().c_str() : "";
}
int64_t openxpc_error_get_number(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->number() : 0;
}
const char* openxpc_error_get_message(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->message().c_str() : "";
}
const char* openxpc_error_get_remedy(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? it->remedy().c_str() : "";
}
xpc_rich_error_t openxpc_error_get_cause(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? static_cast<xpc_rich_error_t>(
                  static_cast<xpc_object_t>(static_cast<object::object*>(it->cause())))
            : nullptr;
}
bool openxpc_error_get_exit_status(xpc_rich_error_t error, int* status) {
  auto* it = error_of(error);
  if (!it || !(it->flags() & OPENXPC_ERROR_HAS_EXIT_STATUS)) return false;
  *status = it->exit_status();
  return true;
}

xpc_object_t openxpc_error_copy_dictionary(xpc_rich_error_t error) {
  return capi::give(capi::need_as<object::rich_error>(error, __func__).to_dictionary());
}

xpc_rich_error_t openxpc_error_create_from_dictionary(xpc_object_t dictionary) {
  return give(object::rich_error::from(capi::need_as<object::dictionary>(dictionary, __func__)));
}

char* xpc_rich_error_copy_description(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it ? ::strdup(it->message().c_str()) : nullptr;
}

bool xpc_rich_error_can_retry(xpc_rich_error_t error) {
  auto* it = error_of(error);
  return it && (it->flags() & OPENXPC_ERROR_CAN_RETRY);
}
