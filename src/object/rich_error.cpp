#include "object/rich_error.hpp"

#include "base/utf8.hpp"
#include "object/describe.hpp"

#include <iterator>

namespace openxpc::object {
namespace {

constexpr openxpc_error_flags_t known_flags = OPENXPC_ERROR_CAN_RETRY | OPENXPC_ERROR_NOT_ACCEPTED |
                                              OPENXPC_ERROR_OUTCOME_UNKNOWN |
                                              OPENXPC_ERROR_HAS_EXIT_STATUS;

bool means_retry(openxpc_error_code_t code) noexcept {
  switch (code) {
    case OPENXPC_ERROR_INTERRUPTED:
    case OPENXPC_ERROR_TIMED_OUT:
    case OPENXPC_ERROR_WOULD_BLOCK:
    case OPENXPC_ERROR_TOO_MANY:
    case OPENXPC_ERROR_NO_RESOURCES:
      return true;
    default:
      return false;
  }
}

/// At most longest_text bytes of UTF-8 without NUL; what is not gets U+FFFD in its place.
std::string clean(std::string_view text) {
  std::string out;
  while (!text.empty() && out.size() < rich_error::longest_text) {
    std::size_t good = base::utf8_prefix(text);
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    out.append("\xef\xbf\xbd");
    text.remove_prefix(1);
  }
  if (out.size() > rich_error::longest_text) {
    out.resize(rich_error::longest_text);
    out.resize(base::utf8_prefix(out));
  }
  return out;
}

}  // namespace

const char* name_of(openxpc_error_code_t code) noexcept {
  static const char* const names[] = {
      "none",           "not_found", "no_domain",        "denied",         "launch_failed",
      "interrupted",    "canceled",  "peer_refused",     "refused",        "incompatible",
      "unknown_method", "timed_out", "no_reply",         "service_failed", "remote",
      "would_block",    "too_large", "too_many",         "missing_key",    "wrong_type",
      "out_of_range",   "malformed", "invalid_argument", "no_resources",   "unsupported",
      "end_of_stream"};
  static_assert(std::size(names) == error_codes_end);
  auto index = static_cast<std::size_t>(code);
  return index < std::size(names) ? names[index] : "unknown";
}

rich_error::rich_error(const error_parts& parts)
    : object(its_kind),
      code_(parts.code),
      flags_(parts.flags & known_flags),
      exit_status_(parts.flags & OPENXPC_ERROR_HAS_EXIT_STATUS ? parts.exit_status : 0),
      number_(parts.number),
      domain_(clean(parts.domain)),
      message_(clean(parts.message)),
      remedy_(clean(parts.remedy)) {
  if (means_retry(code_)) flags_ |= OPENXPC_ERROR_CAN_RETRY;
  if (parts.cause && parts.cause->causes_ + 1 < most_causes) {
    causes_ = parts.cause->causes_ + 1;
    cause_ = ref<rich_error>::share(parts.cause);
  }
}

ref<rich_error> rich_error::create(const error_parts& parts) {
  return ref<rich_error>::adopt(new rich_error(parts));
}

ref<rich_error> rich_error::create(openxpc_error_code_t code, std::string_view message,
                                   std::string_view remedy) {
  error_parts parts;
  parts.code = code;
  parts.message = message;
  parts.remedy = remedy;
  return create(parts);
}

void rich_error::describe(describer& out) const {
  out.text(" { code = ").text(name_of(code_));
  if (!domain_.empty()) out.text(", domain = ").quoted(domain_);
  if (number_) out.text(", number = ").text(std::to_string(number_));
  out.text(", description = ").quoted(message_);
  if (!remedy_.empty()) out.text(", remedy = ").quoted(remedy_);
  if (flags_ & OPENXPC_ERROR_CAN_RETRY) out.text(", can retry");
  if (cause_) out.text(", cause = ").value(cause_.get());
  out.text(" }");
}

}  // namespace openxpc::object
