#include "connection/failure.hpp"

namespace openxpc::connection {

error_ref make_error(openxpc_error_code_t code, std::string_view message, std::string_view remedy,
                     openxpc_error_flags_t flags) {
  object::error_parts parts;
  parts.code = code;
  parts.message = message;
  parts.remedy = remedy;
  parts.flags = flags;
  return object::rich_error::create(parts);
}

error_ref error_of(const channel::closing& how) {
  using reason = channel::closing::reason;
  const openxpc_error_flags_t unsaid = how.opened ? 0 : OPENXPC_ERROR_NOT_ACCEPTED;
  const std::string& text = how.text;
  switch (how.why) {
    case reason::peer_gone:
      return make_error(OPENXPC_ERROR_INTERRUPTED, "the other process went away", {}, unsaid);
    case reason::peer_closed:
      return make_error(OPENXPC_ERROR_INTERRUPTED,
                        text.empty() ? "the other side closed the conversation"
                                     : "the other side closed the conversation: " + text,
                        {}, unsaid);
    case reason::peer_refused: {
      auto code = OPENXPC_ERROR_INCOMPATIBLE;
      if (how.code >= channel::refusal_code::first_free) {
        code = static_cast<openxpc_error_code_t>(how.code - channel::refusal_code::first_free);
        switch (code) {
          case OPENXPC_ERROR_LAUNCH_FAILED:
          case OPENXPC_ERROR_NOT_FOUND:
          case OPENXPC_ERROR_DENIED:
          case OPENXPC_ERROR_PEER_REFUSED:
          case OPENXPC_ERROR_INCOMPATIBLE:
          case OPENXPC_ERROR_NO_RESOURCES:
          case OPENXPC_ERROR_TOO_MANY:
            break;
          default:
            code = OPENXPC_ERROR_REFUSED;
        }
      }
      return make_error(code, text.empty() ? "the other side refused" : text, {},
                        unsaid | (how.may_retry ? OPENXPC_ERROR_CAN_RETRY : 0));
    }
    case reason::we_refused:
      return make_error(OPENXPC_ERROR_INCOMPATIBLE,
                        "the other side's greeting does not suit: " + text, {}, unsaid);
    case reason::protocol_error:
      return make_error(OPENXPC_ERROR_INTERRUPTED, "the other side broke the protocol: " + text, {},
                        unsaid);
    case reason::not_taken:
      return make_error(OPENXPC_ERROR_INTERRUPTED,
                        text.empty() ? "the other side does not read what it is sent" : text, {},
                        unsaid);
    case reason::hello_late:
      return make_error(OPENXPC_ERROR_INTERRUPTED, "the other side said no hello in time", {},
                        unsaid);
    case reason::cancelled:
    case reason::closed:
      return make_error(OPENXPC_ERROR_CANCELED, text.empty() ? "cancelled by this side" : text);
    case reason::forked:
      return make_error(OPENXPC_ERROR_CANCELED,
                        "this process was forked from the one that holds the conversation");
    case reason::system_error:
      return make_error(OPENXPC_ERROR_INTERRUPTED, "the socket failed: " + text, {}, unsaid);
  }
  return make_error(OPENXPC_ERROR_INTERRUPTED, "the conversation ended");
}

error_ref forked_error() {
  channel::closing how;
  how.why = channel::closing::reason::forked;
  return error_of(how);
}

error_ref error_of(channel::fate how, const error_ref& because) {
  if (because && how != channel::fate::too_large)
    return make_error(because->code(), because->message(), {},
                      how == channel::fate::not_accepted ? OPENXPC_ERROR_NOT_ACCEPTED
                                                         : OPENXPC_ERROR_OUTCOME_UNKNOWN);
  switch (how) {
    case channel::fate::not_accepted:
      return make_error(OPENXPC_ERROR_INTERRUPTED,
                        "the other process went away before it had the request", {},
                        OPENXPC_ERROR_NOT_ACCEPTED);
    case channel::fate::outcome_unknown:
      return make_error(
          OPENXPC_ERROR_INTERRUPTED,
          "the other process went away; whether it carried the request out is not known", {},
          OPENXPC_ERROR_OUTCOME_UNKNOWN);
    case channel::fate::too_large:
      return make_error(OPENXPC_ERROR_TOO_LARGE,
                        "the request is larger than the other side accepts", {},
                        OPENXPC_ERROR_NOT_ACCEPTED);
  }
  return make_error(OPENXPC_ERROR_INTERRUPTED, "the request got no answer");
}

}  // namespace openxpc::connection
