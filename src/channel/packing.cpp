#include "channel/outbox.hpp"

#include <algorithm>

// Leaving. A packet takes control frames first, then answers, then messages and rows, which share
// by turns of some bytes; it is made of pieces of the memory where things lie, only heads and small
// bodies are copied. What does not fit the packet at all, or (messages) more than three quarters of
// the credit, goes in pieces.

namespace openxpc::channel {
namespace {

constexpr std::size_t quantum_bytes = 16384;  // a turn of one lane
constexpr std::size_t copied_body_most_bytes = 1024;
constexpr std::size_t parts_most = 1000;  // the kernel takes 1024 iovecs

constexpr std::size_t down_to_8(std::uint64_t size) noexcept { return size & ~std::uint64_t{7}; }

}  // namespace

std::size_t outbox::room() const noexcept {
  if (packet_.parts.size() >= parts_most) return 0;
  return peer_.packet_bytes > packet_.bytes ? peer_.packet_bytes - packet_.bytes : 0;
}

bool outbox::pack() {
  if (!open_ || stopped_) return false;
  pack_controls();
  pack_lane(answers_, lane_kind::answers, nullptr, SIZE_MAX);
  pack_round();
  if (packet_.empty()) pack_close();
  return !packet_.empty();
}

void outbox::pack_controls() {
  std::size_t done = 0;
  for (; done < controls_.size() && room() >= header_bytes + 8; ++done) {
    const control& each = controls_[done];
    const std::size_t size = each.what == kind::credit ? 8 : 4;
    std::byte head[frame_head_most_bytes];
    packet_.add_staged(head, write_head(head, each.what, false, 0, each.id, {}, size));
    packet_.add_staged(&each.value, size);
    packet_.add_zeros(base::round_up(size, frame_alignment) - size);
  }
  controls_.erase(controls_.begin(), controls_.begin() + static_cast<std::ptrdiff_t>(done));
}

void outbox::pack_close() {
  if (!closing_ || close_text_.empty() || queued_count_ != 0 || !controls_.empty()) return;
  std::byte head[frame_head_most_bytes];
  packet_.add_staged(head, write_head(head, kind::close, false, 0, 0, {}, close_text_.size()));
  packet_.add_staged(close_text_.data(), close_text_.size());
  packet_.add_zeros(base::round_up(close_text_.size(), frame_alignment) - close_text_.size());
  packet_.has_close = true;
  close_text_.clear();
}

/// True if something of the lane went into the packet.
bool outbox::pack_lane(lane& from, lane_kind which, row_stream* of, std::size_t quantum) {
  const std::size_t before = packet_.bytes;
  while (!from.empty() && packet_.bytes - before < quantum) {
    const emitted what = emit(from, which, of);
    if (what == emitted::done) continue;
    if (what == emitted::no_credit) {
      if (no_more_credit_) {
        if (continued_row_ == of && of) continued_row_ = nullptr;
        drop(from.pop());
        continue;
      }
      if (of) of->in_turn = false;  // until credit comes
    }
    break;
  }
  return packet_.bytes != before;
}

void outbox::pack_round() {
  std::size_t nothing_from = 0;
  const std::size_t lanes = round_.size() + 1;
  while (nothing_from < lanes && room() > header_bytes) {
    turn_ %= lanes;
    row_stream* of = turn_ == 0 ? nullptr : round_[turn_ - 1];
    const bool any = of ? (of->in_turn && pack_lane(of->queue, lane_kind::rows, of, quantum_bytes))
                        : pack_lane(requests_, lane_kind::calls, nullptr, quantum_bytes);
    nothing_from = any ? 0 : nothing_from + 1;
    ++turn_;
  }
  std::erase_if(round_, [](row_stream* each) {
    if (each->queue.empty()) each->in_turn = false;
    return !each->in_turn;
  });
}

outbox::emitted outbox::emit(lane& from, lane_kind which, row_stream* of) {
  parcel& what = *from.front();
  const emitted how = what.is_run ? emit_run(what, which, of) : emit_frame(what, which, of);
  if (how == emitted::done) {
    --queued_count_;
    if (what.is_run) --run_count_;
    packet_.kept.push_back(from.pop());
  } else if (what.begun && !what.pinned && (how == emitted::piece || what.is_run) &&
             packet_.bytes) {
    what.pinned = true;
    packet_.pinned.push_back(&what);
  }
  return how;
}

outbox::emitted outbox::emit_run(parcel& what, lane_kind which, row_stream* of) {
  credit_spender& credit = of ? of->credit : credit_;
  const std::size_t start = what.done_bytes, most = std::min(room(), quantum_bytes);
  const std::byte* frames = what.own.data();
  std::size_t at = start;
  std::uint64_t count = 0;
  bool affordable = true;
  while (at < what.own.size()) {
    const auto header = base::load<frame_header>(frames + at);
    const std::size_t size = frame_size(header.flags, header.length);
    if (at + size - start > most) break;
    affordable = credit.affords(at + size - start);
    if (!affordable) break;
    at += size;
    ++count;
  }
  if (count == 0) return affordable ? emitted::no_room : emitted::no_credit;
  credit.spend(at - start);
  packet_.add_borrowed(frames + start, at - start);
  packet_.note_arrival(what.epoch, count);
  (which == lane_kind::rows ? packet_.rows : packet_.messages) += count;
  unsent_ -= at - start;
  gathered_ -= at - start;
  if (of) of->waiting_bytes -= at - start;
  what.done_bytes = at;
  what.begun = true;
  return at == what.own.size() ? emitted::done : emitted::piece;
}

void outbox::take_note(parcel& what, bool last_piece) {
  const bool call = what.what == kind::request || what.what == kind::subscribe;
  if (call && !what.begun) packet_.begins.push_back(what.id);
  what.begun = true;
  if (!last_piece) return;
  if (call) packet_.completes.push_back(what.id);
  if (what.final_answer) {
    ++packet_.answers;
    packet_.ends.push_back(what.id);
  }
  if (call || what.what == kind::message) ++packet_.messages;
  if (what.what == kind::row) ++packet_.rows;
  if (call || what.what == kind::message || what.what == kind::row || what.what == kind::reply)
    packet_.note_arrival(what.epoch, 1);
}

outbox::emitted outbox::emit_frame(parcel& what, lane_kind which, row_stream* of) {
  const bool is_row = what.what == kind::row;
  const bool call = what.what == kind::request || what.what == kind::subscribe;
  if (call && !what.begun && calls_.open_at_peer >= peer_.unanswered_count)
    return emitted::no_credit;
  const extensions none;
  const extensions& extra = what.begun ? none : what.extra;
  const std::size_t head = header_bytes + extensions_size(extra.flags());
  const std::size_t left = what.bytes_left(), descriptors = what.attachments_left();
  const std::size_t descriptor_room = packet_attachments - packet_.attachments.size();
  const unsigned descriptor_most = piece_attachments(which);
  const std::uint64_t budget = which == lane_kind::calls ? credit_.left() : UINT64_MAX;
  const std::uint64_t whole = frame_size(extra.flags(), left);
  const std::uint64_t weight = whole + descriptors * attachment_weight_bytes;

  std::size_t take = left, take_descriptors = descriptors;
  bool last = whole <= peer_.packet_bytes && descriptors <= descriptor_most &&
              (which != lane_kind::calls || weight <= whole_most_bytes() || weight <= budget);
  if (is_row && !what.begun) {
    if (!last && continued_row_) return emitted::no_room;  // one continued row at a time
    outgoing like;
    like.body = what.body();
    like.extra = what.extra;
    const std::uint64_t worst =
        last ? weight : measure_of(like).worst + descriptors * attachment_weight_bytes;
    if (!of->credit.affords(worst)) return emitted::no_credit;
  }
  if (last) {
    if (weight > budget) return emitted::no_credit;
    if (whole > room() || descriptors > descriptor_room) return emitted::no_room;
  } else {
    take_descriptors = std::min<std::size_t>(descriptors, descriptor_most);
    if (take_descriptors > descriptor_room) return emitted::no_room;
    const std::uint64_t descriptor_weight = take_descriptors * attachment_weight_bytes;
    const std::size_t least = head + piece_least_bytes;
    if (room() < least) return emitted::no_room;
    if (budget < descriptor_weight + least) return emitted::no_credit;
    take = down_to_8(std::min<std::uint64_t>(room(), budget - descriptor_weight) - head);
    // Enough body must be left for the pieces that carry the other descriptors.
    const std::size_t later =
        (descriptors - take_descriptors + descriptor_most - 1) / descriptor_most;
    const std::size_t reserve = later > 1 ? (later - 1) * piece_least_bytes : 0;
    take = std::min(take, left - reserve);
    last = take == left && take_descriptors == descriptors;
    if (!last && take < piece_least_bytes) return emitted::no_room;
  }

  std::byte at[frame_head_most_bytes];
  packet_.add_staged(
      at, write_head(at, what.what, !last, static_cast<std::uint16_t>(take_descriptors), what.id,
                     extra, take));
  const std::byte* from = what.body().data() + what.done_bytes;
  if (take <= copied_body_most_bytes)
    packet_.add_staged(from, take);
  else
    packet_.add_borrowed(from, take);
  packet_.add_zeros(base::round_up(packet_.bytes, frame_alignment) - packet_.bytes);
  const auto first_descriptor =
      what.attachments.begin() + static_cast<std::ptrdiff_t>(what.done_attachments);
  packet_.attachments.insert(packet_.attachments.end(), first_descriptor,
                             first_descriptor + static_cast<std::ptrdiff_t>(take_descriptors));

  const std::uint64_t spent =
      frame_size(extra.flags(), take) + take_descriptors * attachment_weight_bytes;
  if (which == lane_kind::calls) credit_.spend(spent);
  if (is_row) {
    of->credit.spend(spent);
    continued_row_ = last ? (continued_row_ == of ? nullptr : continued_row_) : of;
  }
  if (!what.begun) {
    unsent_ -= what.weight();
    if (is_row) of->waiting_bytes -= what.weight();
    if (what.on_answers_lane) unsent_answers_ -= what.weight();
    if (call) {
      ++calls_.open_at_peer;
      if (issued_call* issued = calls_.issued.find(what.id)) issued->begun = true;
    }
  }
  take_note(what, last);
  what.done_bytes += take;
  what.done_attachments += take_descriptors;
  return last ? emitted::done : emitted::piece;
}

void outbox::packet_left() {
  ++counts_.packets_sent;
  counts_.bytes_sent += packet_.bytes;
  counts_.messages_sent += packet_.messages;
  counts_.rows_sent += packet_.rows;
  counts_.answers_sent += packet_.answers;
  for (std::uint64_t id : packet_.completes)
    if (issued_call* call = calls_.issued.find(id)) call->left = true;
  for (std::uint64_t id : packet_.ends) {
    served_call* of = calls_.served.find(id);
    if (!of) continue;
    if (of->rows) std::erase(round_, of->rows.get());
    calls_.served.erase(id);
  }
  for (auto [number, count] : packet_.arrives) epoch_done(number, count);
  for (parcel* each : packet_.pinned) each->pinned = false;
  for (auto& each : packet_.kept) {
    if (!each->is_run || spare_run_ || each->own.capacity() > 65536) continue;
    each->own.clear();
    each->begun = each->pinned = false;
    each->done_bytes = 0;
    spare_run_ = std::move(each);
  }
  if (queued_count_ == 0 && spare_run_) spare_run_ = nullptr;
  packet_.clear();
  note_room();
}

void outbox::open(const peer_limits& theirs, lost_calls& lost) {
  peer_ = theirs;
  credit_ = credit_spender(theirs.credit_bytes);
  open_ = true;
  auto misfit = [&](const parcel& each) {
    return !each.is_run &&
           (too_large(each.what, each.body().size(), each.attachments.size()) ||
            too_many(lane_kind::calls, each.body().size(), each.attachments.size()));
  };
  while (auto each = requests_.take_first(misfit)) {
    lose(each->id, fate::too_large, lost);
    drop(std::move(each));
  }
}

}  // namespace openxpc::channel
