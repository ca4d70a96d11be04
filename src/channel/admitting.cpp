#include "channel/inbox.hpp"

// Whether a frame may stand where it stands: its place in the conversation and its amount. Nothing
// of it has been stored yet.

namespace openxpc::channel {

/// What must hold where a message begins.
inbox::fault inbox::first_piece(const frame& what, issued_call* call) {
  switch (what.what) {
    case kind::request:
    case kind::subscribe:
      if (what.id <= calls_.highest_seen) return "an id that does not rise";
      if (calls_.served.size() >= unanswered_count_) return too_many_unanswered();
      if (what.what == kind::subscribe && !what.extra.row_credit)
        return "a subscription without row credit";
      calls_.highest_seen = what.id;
      return nullptr;
    case kind::message:
      return nullptr;
    default:
      break;
  }
  if (!call || !call->begun) return "an answer to an id that is not open";
  const bool stream = call->what == kind::subscribe;
  if (what.what == kind::failure) return check_sequence(*call, what.extra, false);
  if ((what.what == kind::row) != stream) return "an answer of the wrong kind for its id";
  if (what.what != kind::row) return nullptr;
  if (!call->accepted) return "a row before its subscription was accepted";
  return check_sequence(*call, what.extra, true);
}

inbox::fault inbox::too_many_unanswered() {
  fault_text_ = "more than " + std::to_string(unanswered_count_) + " requests are unanswered";
  return fault_text_.c_str();
}

inbox::fault inbox::check_sequence(issued_call& call, const extensions& extra, bool required) {
  if (!extra.sequence) return required ? "a sequence number is missing" : nullptr;
  if (*extra.sequence < call.next_row) return "a sequence number that does not rise";
  if (*extra.sequence == UINT64_MAX) return "a sequence number at the end of all numbers";
  call.next_row = *extra.sequence + 1;
  return nullptr;
}

inbox::fault inbox::admit(const frame& what, issued_call* call) {
  const std::uint64_t bytes = what.counted_bytes();
  if (slot_of(what.what) == &call_)
    return credit_.admit(bytes) ? nullptr : "more bytes than the credit allows";
  if (what.what != kind::row) return nullptr;
  return call && call->rows.admit(bytes) ? nullptr : "more bytes of rows than the credit allows";
}

}  // namespace openxpc::channel
