// Errors as dictionaries, which is how a failure travels to the caller.
#include "object/rich_error.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

namespace openxpc::object {
namespace {

std::string_view text_in(const dictionary& in, std::string_view key) {
  item found = in.find(key);
  return found.is(OPENXPC_TYPE_STRING) ? found.to_string() : std::string_view();
}

std::int64_t number_in(const dictionary& in, std::string_view key, std::int64_t otherwise) {
  item found = in.find(key);
  return found.is(OPENXPC_TYPE_INT64) ? static_cast<std::int64_t>(found.to_bits()) : otherwise;
}

/// A code that this version does not know, or no code at all, is an error of the other side's own.
openxpc_error_code_t code_from(std::int64_t number) noexcept {
  bool known = number > OPENXPC_ERROR_NONE && number < error_codes_end;
  return known ? static_cast<openxpc_error_code_t>(number) : OPENXPC_ERROR_REMOTE;
}

void put_text(dictionary& out, std::string_view key, const std::string& text) {
  if (!text.empty()) out.set(key, string::copy_of(text));
}

}  // namespace

ref<dictionary> rich_error::to_dictionary() const {
  auto out = dictionary::create();
  out->set("code", make_int64(code_));
  if (flags_) out->set("flags", make_int64(flags_));
  put_text(*out, "domain", domain_);
  if (number_) out->set("number", make_int64(number_));
  put_text(*out, "message", message_);
  put_text(*out, "remedy", remedy_);
  if (flags_ & OPENXPC_ERROR_HAS_EXIT_STATUS) out->set("status", make_int64(exit_status_));
  if (cause_) out->set("cause", cause_->to_dictionary());
  return out;
}

ref<rich_error> rich_error::from(const dictionary& received) {
  return from(received, most_causes - 1);
}

ref<rich_error> rich_error::from(const dictionary& received, unsigned causes_left) {
  ref<rich_error> cause;
  if (causes_left)
    if (auto* inner = as<dictionary>(received.get("cause"))) cause = from(*inner, causes_left - 1);
  error_parts parts;
  parts.code = code_from(number_in(received, "code", OPENXPC_ERROR_REMOTE));
  parts.flags = static_cast<openxpc_error_flags_t>(number_in(received, "flags", 0));
  parts.domain = text_in(received, "domain");
  parts.number = number_in(received, "number", 0);
  parts.message = text_in(received, "message");
  if (parts.message.empty()) parts.message = "the other side gave no reason";
  parts.remedy = text_in(received, "remedy");
  parts.cause = cause.get();
  parts.exit_status = static_cast<int>(number_in(received, "status", 0));
  return create(parts);
}

}  // namespace openxpc::object
