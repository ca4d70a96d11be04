#include "channel/inbox.hpp"

#include <algorithm>

// A packet is a row of frames; a frame is a control frame, a whole thing, or a piece of one. The
// checks stand in the order in which they are cheap: form (parse_frame), place in the conversation
// (ids, order of pieces), amount (credit, sizes), and only then is anything stored.

namespace openxpc::channel {

namespace {

[[gnu::cold]] std::string said_at(std::size_t offset, const char* text, const frame* of = nullptr) {
  return std::string(text) + " (" + (of ? std::string(name_of(of->what)) + ", " : "") + "offset " +
         std::to_string(offset) + ")";
}

}  // namespace

/// Where take() is within its packet.
struct inbox::cursor {
  std::vector<base::fd>& attachments;
  std::size_t next_attachment;
  bool attachments_lost;
  std::vector<arrival>& out;
  std::vector<base::fd>& rubbish;
  outcome& end;
};

inbox::inbox(ledger& calls, outbox& answers, const settings& limits) noexcept
    : calls_(calls),
      answers_(answers),
      message_bytes_(std::max(limits.message_bytes, least::message_bytes)),
      unanswered_count_(std::max(limits.unanswered_count, least::unanswered_count)),
      attachments_(limits.attachments),
      packet_bytes_(limits.packet_bytes),
      credit_(std::max(limits.credit_bytes, least::credit_bytes)) {}

inbox::outcome inbox::take(base::bytes packet, std::vector<base::fd>& attachments,
                           bool attachments_lost, std::vector<arrival>& out,
                           std::vector<base::fd>& rubbish) {
  outcome end;
  cursor at{attachments, 0, attachments_lost, out, rubbish, end};
  ++counts_.packets_received;
  counts_.bytes_received += packet.size();
  frame what;
  for (std::size_t offset = 0; offset < packet.size() && !end.over(); offset += what.size) {
    if (auto malformed = parse_frame(packet, offset, what)) {
      end.fault = said_at(offset, malformed->text);
      break;
    }
    if (fault wrong = take_frame(what, at))
      end.fault = said_at(offset, wrong, &what);
    else if (end.over() && offset + what.size != packet.size())
      end.fault = "something follows the last frame";
  }
  finish_packet(at);
  return end;
}

inbox::assembly* inbox::open_for_landing() noexcept {
  assembly* slot = last_stored_;
  return slot && slot->open && !slot->discard && !slot->no_room ? slot : nullptr;
}

std::span<std::byte> inbox::landing() {
  assembly* slot = open_for_landing();
  if (!slot) return {};
  const std::size_t size = slot->body.size(), room = packet_bytes_ - header_bytes;
  if (slot->body.capacity() - size < room) slot->body.reserve(size + std::max(size, room));
  return {slot->body.data() + size, room};
}

bool inbox::take_landed(base::bytes head, std::size_t size, std::vector<base::fd>& attachments,
                        bool attachments_lost, std::vector<arrival>& out,
                        std::vector<base::fd>& rubbish, outcome& end) {
  assembly* slot = open_for_landing();
  if (!slot || size < header_bytes + piece_least_bytes) return false;
  const auto header = base::load<frame_header>(head.data());
  const bool more = header.flags == flag::more;
  if ((header.flags & ~flag::more) || header.kind != static_cast<std::uint8_t>(slot->what) ||
      header.id != slot->id || header.attachments > packet_attachments)
    return false;
  if (frame_size(0, header.length) != size || (more && header.length < piece_least_bytes))
    return false;
  const std::byte* body = slot->body.data() + slot->body.size();
  for (std::size_t i = header.length; i < size - header_bytes; ++i)
    if (body[i] != std::byte{0}) return false;  // take() will say so

  frame what;
  what.what = slot->what;
  what.more = more;
  what.attachments = header.attachments;
  what.id = header.id;
  what.body = {body, header.length};
  what.size = size;
  cursor at{attachments, 0, attachments_lost, out, rubbish, end};
  ++counts_.packets_received;
  counts_.bytes_received += size;
  if (fault wrong = take_frame(what, at)) end.fault = said_at(0, wrong, &what);
  finish_packet(at);
  return true;
}

/// What is left over when all frames of a packet are taken.
void inbox::finish_packet(cursor& at) {
  if (at.next_attachment != at.attachments.size() && !at.end.fault && !at.attachments_lost)
    at.end.fault = "the packet brings more descriptors than its frames announce";
  for (std::size_t i = at.next_attachment; i < at.attachments.size(); ++i)
    at.rubbish.push_back(std::move(at.attachments[i]));
  at.attachments.clear();
  announce();
}

inbox::fault inbox::take_frame(const frame& what, cursor& at) {
  switch (what.what) {
    case kind::message:
    case kind::request:
    case kind::reply:
    case kind::subscribe:
    case kind::row:
    case kind::failure:
    case kind::progress:
      return take_body(what, at);
    default:
      return take_control(what, at);
  }
}

inbox::assembly* inbox::slot_of(kind what) noexcept {
  switch (what) {
    case kind::message:
    case kind::request:
    case kind::subscribe:
      return &call_;
    case kind::reply:
      return &answer_;
    case kind::row:
      return &row_;
    default:
      return nullptr;
  }
}

void inbox::take_attachments(const frame& what, cursor& at, std::vector<base::fd>& to, bool& lost) {
  const std::size_t there =
      std::min<std::size_t>(what.attachments, at.attachments.size() - at.next_attachment);
  for (std::size_t i = 0; i < there; ++i)
    to.push_back(std::move(at.attachments[at.next_attachment++]));
  if (there == what.attachments) return;
  lost = true;
  ++counts_.lost_attachments;
}

inbox::fault inbox::take_body(const frame& what, cursor& at) {
  if (what.attachments > at.attachments.size() - at.next_attachment && !at.attachments_lost)
    return "the frame announces descriptors that did not come";
  assembly* slot = slot_of(what.what);
  const bool same = slot && slot->open && slot->what == what.what && slot->id == what.id;
  if (slot && slot->open && !same && (what.what != kind::row || what.more))
    return "a second continued message begins before the first one ends";
  if (same && what.extra.flags()) return "extensions on a piece that is not the first";
  issued_call* call = slot == &call_ ? nullptr : calls_.issued.find(what.id);
  if (!same)
    if (auto wrong = first_piece(what, call)) return wrong;
  if (auto wrong = admit(what, call)) return wrong;

  if (same || what.more) {
    if (!same) {
      *slot = assembly{};
      slot->open = true;
      slot->what = what.what;
      slot->id = what.id;
      slot->extra = what.extra;
    }
    return store(*slot, what, call, at);
  }
  const std::uint64_t bytes = what.body.size() + what.attachments * attachment_weight_bytes;
  if (bytes > message_bytes_ || what.attachments > attachments_)
    return "a message beyond our limits";
  arrival& whole = at.out.emplace_back();
  whole.what = what.what;
  whole.id = what.id;
  whole.body = what.body;
  whole.deadline = what.extra.deadline;
  whole.sequence = what.extra.sequence;
  whole.flow = what.extra.flow;
  whole.row_credit = what.extra.row_credit;
  if (what.attachments) take_attachments(what, at, whole.attachments, whole.lost_attachments);
  const bool no_room = what.what == kind::reply && answers_held_ + bytes > 2 * message_bytes_;
  return deliver(at, call, what.counted_bytes(), false, no_room);
}

/// Adds a piece; the last one makes it whole.
inbox::fault inbox::store(assembly& into, const frame& what, issued_call* call, cursor& at) {
  into.body_bytes += what.body.size() + what.attachments * attachment_weight_bytes;
  into.counted += what.counted_bytes();
  take_attachments(what, at, into.attachments, into.lost_attachments);
  if (into.body_bytes > message_bytes_) return "a message beyond message_bytes";
  if (into.attachments.size() > attachments_) return "a message with too many descriptors";
  if (&into == &call_) advance(into, what.counted_bytes());
  if (&into == &answer_ && !into.no_room && answers_held_ + into.body_bytes > 2 * message_bytes_) {
    into.no_room = true;
    into.body = base::buffer();
  }
  if (call) into.discard = into.discard || call->swallow;
  if (into.discard) into.body = base::buffer();
  if (!into.discard && !into.no_room) {
    const std::size_t before = into.body.size();
    if (what.body.data() == into.body.data() + before && before != 0)
      into.body.resize(before + what.body.size());  // it has landed there
    else
      into.body.append(what.body);
  }
  last_stored_ = what.more ? &into : nullptr;
  if (what.more) return nullptr;

  arrival& whole = at.out.emplace_back();
  whole.what = into.what;
  whole.id = into.id;
  whole.deadline = into.extra.deadline;
  whole.sequence = into.extra.sequence;
  whole.flow = into.extra.flow;
  whole.row_credit = into.extra.row_credit;
  whole.attachments = std::move(into.attachments);
  whole.lost_attachments = into.lost_attachments;
  if (!into.discard && !into.no_room) {
    whole.whole = base::block::own(std::move(into.body));
    whole.body = whole.whole->view();
  }
  const std::uint64_t counted = into.counted;
  const bool advanced = into.advanced, no_room = into.no_room;
  into = assembly{};
  return deliver(at, call, counted, advanced, no_room);
}

/// The last of at.out is whole: gives it what it needs on the way up, or takes it out again.
inbox::fault inbox::deliver(cursor& at, issued_call* call, std::uint64_t counted, bool advanced,
                            bool no_room) {
  arrival& whole = at.out.back();
  strip(whole);
  switch (whole.what) {
    case kind::message:
    case kind::request:
    case kind::subscribe: {
      ++counts_.messages_received;
      whole.held = {counted, 0, charge::account::messages, advanced};
      if (whole.what == kind::message) break;
      served_call served;
      served.what = whole.what;
      if (whole.what == kind::subscribe) {
        served.rows = std::make_unique<row_stream>();
        served.rows->id = whole.id;
        served.rows->initial_credit = *whole.row_credit;
        served.rows->credit = credit_spender(*whole.row_credit);
      }
      calls_.served.insert(whole.id, std::move(served));
      break;
    }
    case kind::row: {
      if (!call) {
        at.out.pop_back();
        return "a row of a subscription that is over";
      }
      ++counts_.rows_received;
      if (call->swallow) {
        ++counts_.dropped_late;
        for (base::fd& each : whole.attachments) at.rubbish.push_back(std::move(each));
        call->rows.let_go(counted);
        if (call->rows.worth_announcing()) answers_.put_credit(whole.id, call->rows.announce());
        at.out.pop_back();
        return nullptr;
      }
      whole.context = call->context;
      whole.held = {counted, whole.id, charge::account::rows, false};
      break;
    }
    case kind::progress: {
      if (!call || call->swallow) {
        ++counts_.dropped_late;
        at.out.pop_back();
        return nullptr;
      }
      whole.context = call->context;
      break;
    }
    default:  // reply, failure
      ++counts_.answers_received;
      if (no_room) {
        ++counts_.dropped_not_taken;
        whole.what = kind::failure;
        whole.not_taken = true;
        whole.body = {};
        whole.whole = nullptr;
        for (base::fd& each : whole.attachments) at.rubbish.push_back(std::move(each));
        whole.attachments.clear();
      } else if (whole.what == kind::reply) {
        const std::uint64_t bytes =
            whole.body.size() + whole.attachments.size() * attachment_weight_bytes;
        whole.held = {bytes, 0, charge::account::answers, false};
      }
      finish_call(at, call);
  }
  return nullptr;
}

/// The last of at.out is the final answer of a call of ours: the id is free, the answer goes up
/// unless nobody wants it.
void inbox::finish_call(cursor& at, issued_call* call) {
  arrival& answer = at.out.back();
  if (!call) return at.out.pop_back();
  const bool swallow = call->swallow;
  answer.context = std::move(call->context);
  calls_.issued.erase(answer.id);
  answers_.answered();
  if (swallow) {
    ++counts_.dropped_late;
    for (base::fd& each : answer.attachments) at.rubbish.push_back(std::move(each));
    return at.out.pop_back();
  }
  answers_held_.fetch_add(answer.held.bytes, std::memory_order_relaxed);
}

void inbox::strip(arrival& what) const noexcept {
  if (!same_clock_) what.deadline.reset();
}

inbox::fault inbox::take_control(const frame& what, cursor& at) {
  switch (what.what) {
    case kind::cancel:
      return take_cancel(what, at);
    case kind::credit:
      return take_credit(what);
    case kind::accepted:
    case kind::end:
      return take_stream_mark(what, at);
    case kind::close:
      at.end.closed = std::string(base::as_text(what.body));
      return nullptr;
    case kind::refusal:
      at.end.refused = read_refusal(what.body);
      return at.end.refused ? nullptr : "a refusal that breaks its layout";
    case kind::hello:
      return "a second hello";
    // The place of the proof of a peer: as long as we send no nonce, nobody may answer it or say
    // "proven".
    case kind::proven:
    case kind::answer:
      return "an answer to a challenge that nobody sent";
    default:
      return "this kind of frame is reserved";
  }
}

inbox::fault inbox::take_cancel(const frame& what, cursor& at) {
  if (call_.open && call_.what != kind::message && call_.id == what.id) {
    discard(call_, at);  // between its pieces: both sides forget the id
    return nullptr;
  }
  if (what.id > calls_.highest_seen) return "a cancel of an id that was never seen";
  served_call* of = calls_.served.find(what.id);
  if (!of || of->cancelled) return nullptr;  // answered already
  of->cancelled = true;
  if (of->rows) answers_.drop_rows(*of->rows);
  if (of->finishing) return nullptr;
  arrival cancel;
  cancel.what = kind::cancel;
  cancel.id = what.id;
  cancel.reason = static_cast<cancel_reason>(base::load<std::uint32_t>(what.body.data()));
  at.out.push_back(std::move(cancel));
  return nullptr;
}

inbox::fault inbox::take_credit(const frame& what) {
  const auto total = base::load<std::uint64_t>(what.body.data());
  if (what.id == 0) return answers_.granted(total) ? nullptr : "a credit that makes no sense";
  if (what.id > calls_.highest_seen) return "credit for a subscription that was never seen";
  served_call* of = calls_.served.find(what.id);
  if (!of) return nullptr;  // it has ended
  if (!of->rows) return "credit for a request";
  return answers_.rows_granted(*of->rows, total) ? nullptr : "a credit of rows that makes no sense";
}

inbox::fault inbox::take_stream_mark(const frame& what, cursor& at) {
  issued_call* call = calls_.issued.find(what.id);
  if (!call || !call->begun) return "an answer to an id that is not open";
  if (call->what != kind::subscribe) return "an answer of the wrong kind for its id";
  arrival mark;
  mark.what = what.what;
  mark.id = what.id;
  if (what.what == kind::end) {
    if (row_.open && row_.id == what.id) return "the end of a subscription inside one of its rows";
    if (!call->accepted) return "the end of a subscription that was not accepted";
    if (!what.extra.sequence || *what.extra.sequence < call->next_row)
      return "an end without its sequence number";
    mark.sequence = what.extra.sequence;
    ++counts_.answers_received;
    at.out.push_back(std::move(mark));
    finish_call(at, call);
    return nullptr;
  }
  if (call->accepted) return "a subscription is accepted twice";
  call->accepted = true;
  if (call->swallow) return nullptr;
  mark.context = call->context;
  at.out.push_back(std::move(mark));
  return nullptr;
}

void inbox::discard(assembly& what, cursor& at) {
  for (base::fd& each : what.attachments) at.rubbish.push_back(std::move(each));
  const charge held{what.counted, 0, charge::account::messages, what.advanced};
  what = assembly{};
  let_go(held);
}

void inbox::advance(assembly& what, std::uint64_t bytes) {
  if (what.advanced) {
    credit_.advance(bytes);
  } else if (!advanced_in_use_) {
    advanced_in_use_ = what.advanced = true;
    credit_.advance(what.counted);
  }
}

void inbox::announce() {
  if (credit_.worth_announcing()) answers_.put_credit(0, credit_.announce());
}

void inbox::let_go(const charge& held) {
  switch (held.to) {
    case charge::account::none:
      return;
    case charge::account::answers:
      return let_go_answer(held);
    case charge::account::rows:
      if (issued_call* call = calls_.issued.find(held.id)) {
        call->rows.let_go(held.bytes);
        if (call->rows.worth_announcing()) answers_.put_credit(held.id, call->rows.announce());
      }
      return;
    case charge::account::messages:
      break;
  }
  if (held.advanced) {
    credit_.let_go_advanced(held.bytes);
    advanced_in_use_ = false;
    // The next one that is open and got nothing beyond the credit so far: without this it would
    // wait for ever.
    if (call_.open && !call_.advanced) advance(call_, 0);
  } else {
    credit_.let_go(held.bytes);
  }
  announce();
}

}  // namespace openxpc::channel
