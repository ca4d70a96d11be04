// What is said when a value is not what the reader expected. The place grows from the inside out:
// the innermost read knows only its key, each level above puts its own step in front.

#include <xpc/openxpc/value.h>

#include <charconv>
#include <string>
#include <string_view>

namespace {

xpc_rich_error_t with_message(xpc_rich_error_t error, const std::string& message) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = openxpc_error_get_code(error);
  parts.flags = openxpc_error_get_flags(error);
  parts.domain = openxpc_error_get_domain(error);
  parts.number = openxpc_error_get_number(error);
  parts.message = message.c_str();
  parts.remedy = openxpc_error_get_remedy(error);
  parts.cause = openxpc_error_get_cause(error);
  openxpc_error_get_exit_status(error, &parts.exit_status);
  return openxpc_error_create(&parts);
}

/// Every message of openxpc_error_create_reading() begins so, after its place.
constexpr std::string_view opening = "expected ";

bool is_number(const openxpc_value_t& value) {
  return value.type == OPENXPC_TYPE_INT64 || value.type == OPENXPC_TYPE_UINT64 ||
         value.type == OPENXPC_TYPE_DOUBLE;
}

bool wants_number(std::string_view expected) {
  return expected.starts_with("int") || expected.starts_with("uint") || expected == "double" ||
         expected == "float";
}

std::string as_text(const openxpc_value_t& number) {
  char text[40];
  std::to_chars_result end{};
  if (number.type == OPENXPC_TYPE_INT64)
    end = std::to_chars(text, text + sizeof text, number.as.int64);
  if (number.type == OPENXPC_TYPE_UINT64)
    end = std::to_chars(text, text + sizeof text, number.as.uint64);
  if (number.type == OPENXPC_TYPE_DOUBLE)
    end = std::to_chars(text, text + sizeof text, number.as.real);
  return std::string(text, end.ptr);
}

}  // namespace

xpc_rich_error_t openxpc_error_create_reading(const char* key, size_t key_length,
                                              const char* expected, const openxpc_value_t* found) {
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  std::string message;
  if (key) message.append(key, key_length).append(": ");
  message.append(opening).append(expected).append(", found ");
  if (!found) {
    parts.code = OPENXPC_ERROR_MISSING_KEY;
    message += "nothing";
  } else if (is_number(*found) && wants_number(expected) &&
             !(found->type == OPENXPC_TYPE_DOUBLE && std::string_view(expected) != "float")) {
    parts.code = OPENXPC_ERROR_OUT_OF_RANGE;
    message += as_text(*found);
  } else {
    parts.code = OPENXPC_ERROR_WRONG_TYPE;
    message += openxpc_type_name(found->type);
  }
  parts.message = message.c_str();
  return openxpc_error_create(&parts);
}

xpc_rich_error_t openxpc_error_create_within(xpc_rich_error_t error, const char* context,
                                             size_t context_length) {
  return with_message(error,
                      std::string(context, context_length) + openxpc_error_get_message(error));
}

xpc_rich_error_t openxpc_error_create_below(xpc_rich_error_t error, const char* step,
                                            size_t step_length) {
  std::string_view message = openxpc_error_get_message(error);
  auto code = openxpc_error_get_code(error);
  bool about_a_value = code == OPENXPC_ERROR_MISSING_KEY || code == OPENXPC_ERROR_WRONG_TYPE ||
                       code == OPENXPC_ERROR_OUT_OF_RANGE;
  std::string_view joint = ": ";
  if (message.starts_with("["))
    joint = "";
  else if (about_a_value && !message.starts_with(opening))
    joint = ".";
  return with_message(error, std::string(step, step_length).append(joint).append(message));
}
