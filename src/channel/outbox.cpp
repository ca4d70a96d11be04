#include "channel/outbox.hpp"

#include <algorithm>

// Putting things in. The order of the steps matters: everything that can refuse comes first, so
// that an id is only issued, credit only spent and a table only changed for what is really taken.
// The steps are inlined by force: apart, they hand each other through memory what fits into
// registers, and a row takes a tenth longer.

namespace openxpc::channel {
namespace {

/// Small one-way frames are joined into runs; what is longer is kept as it is.
constexpr std::size_t run_frame_most_bytes = 2048;
constexpr std::uint64_t default_row_credit = std::uint64_t{1} << 20;
constexpr std::size_t run_first_bytes = 8192, run_later_bytes = 65536;

bool is_call(kind what) noexcept { return what == kind::request || what == kind::subscribe; }
bool on_calls_lane(kind what) noexcept { return what == kind::message || is_call(what); }
bool is_final(kind what) noexcept {
  return what == kind::reply || what == kind::failure || what == kind::end;
}
/// What barriers wait for.
bool is_ordered(kind what) noexcept {
  return on_calls_lane(what) || what == kind::row || what == kind::reply;
}

std::uint64_t frame_weight(const outgoing& what) noexcept {
  return frame_size(what.extra.flags(), what.body.size()) +
         what.attachments.size() * attachment_weight_bytes;
}

}  // namespace

outbox::outbox(ledger& calls, std::uint64_t unsent_limit) noexcept
    : calls_(calls), unsent_limit_(unsent_limit) {}

bool outbox::idle() const noexcept {
  return queued_count_ == 0 && controls_.empty() && packet_.empty() && close_text_.empty();
}

lane& outbox::lane_of(kind what, served_call* of) noexcept {
  if (of) return of->rows ? of->rows->queue : answers_;
  return on_calls_lane(what) ? requests_ : answers_;
}

outbox::measure outbox::measure_of(const outgoing& what) const noexcept {
  measure takes{};
  takes.size = frame_size(what.extra.flags(), what.body.size());
  takes.weight = takes.size + what.attachments.size() * attachment_weight_bytes;
  const bool whole =
      !open_ || (takes.size <= peer_.packet_bytes && what.attachments.size() <= packet_attachments);
  takes.worst = whole ? takes.weight : bytes_in_pieces(what);
  return takes;
}

[[gnu::always_inline]] inline sent::outcome outbox::judge(const outgoing& what,
                                                          const measure& takes,
                                                          const served_call* of) const noexcept {
  using outcome = sent::outcome;
  if (stopped_ || closing_) return outcome::closed;
  const bool for_rows =
      what.what == kind::row || what.what == kind::end || what.what == kind::accepted;
  if (!on_calls_lane(what.what)) {
    if (!of || of->finishing) return outcome::not_open;
    const bool wants_stream = for_rows;
    const bool wants_request = what.what == kind::reply || what.what == kind::progress;
    if ((wants_stream && !of->rows) || (wants_request && of->rows)) return outcome::not_open;
    if ((what.what == kind::row || what.what == kind::end) && !of->accepted)
      return outcome::not_open;
  } else if (no_more_credit_ && is_call(what.what)) {
    return outcome::closed;  // no answer could come
  }
  if (too_large(what.what, what.body.size(), what.attachments.size())) return outcome::too_large;
  if (what.what == kind::row && takes.worst > of->rows->initial_credit) return outcome::too_large;
  const lane_kind where = what.what == kind::row     ? lane_kind::rows
                          : on_calls_lane(what.what) ? lane_kind::calls
                                                     : lane_kind::answers;
  const bool may_carry =
      on_calls_lane(what.what) || what.what == kind::row || what.what == kind::reply;
  if (may_carry ? too_many(where, what.body.size(), what.attachments.size())
                : !what.attachments.empty())
    return outcome::too_many_attachments;
  return outcome::left;
}

[[gnu::always_inline]] inline bool outbox::has_room(const outgoing& what, const measure& takes,
                                                    served_call* of) noexcept {
  const bool beyond = unsent_ != 0 && unsent_ + takes.weight > unsent_limit_;
  if (what.what == kind::row) {
    row_stream& rows = *of->rows;
    const bool waits = !rows.credit.affords(rows.waiting_bytes + takes.worst);
    if (!beyond && !(waits && what.full == when_full::report)) return true;
    rows.wanted_bytes = takes.worst;
    return false;
  }
  const bool too_many_open = is_call(what.what) && what.full == when_full::report && open_ &&
                             calls_.issued.size() >= peer_.unanswered_count;
  if (!beyond && !too_many_open) return true;
  wants_room_ = true;
  return false;
}

[[gnu::always_inline]] inline bool outbox::fits_directly(const outgoing& what, const measure& takes,
                                                         const served_call* of) const noexcept {
  if (!open_ || !idle()) return false;
  if (takes.size > peer_.packet_bytes || what.attachments.size() > packet_attachments) return false;
  if (what.what == kind::row) return of->rows->credit.affords(takes.weight);
  if (!on_calls_lane(what.what)) return true;
  if (is_call(what.what) && calls_.open_at_peer >= peer_.unanswered_count) return false;
  return credit_.affords(takes.weight);
}

[[gnu::always_inline]] inline void outbox::account(outgoing& what, const measure& takes,
                                                   served_call* of, admitted& how) {
  how.id = what.id;
  if (is_call(what.what)) {
    how.id = calls_.next_id++;
    issued_call call;
    call.what = what.what;
    call.context = std::move(what.context);
    if (what.what == kind::subscribe)
      call.rows = credit_giver(what.extra.row_credit.value_or(default_row_credit));
    if (how.how == route::direct) {
      call.begun = true;
      ++calls_.open_at_peer;
    }
    calls_.issued.insert(how.id, std::move(call));
  }
  if (how.how == route::direct) {
    how.size = takes.size;
    if (on_calls_lane(what.what)) credit_.spend(takes.weight);
    if (what.what == kind::row) of->rows->credit.spend(takes.weight);
  }
  how.epoch = first_epoch_ + static_cast<std::uint32_t>(epochs_.size()) - 1;
  if (is_ordered(what.what)) ++epochs_.back().open;
  if (!of) return;
  if (what.what == kind::accepted) of->accepted = true;
  if (!is_final(what.what)) return;
  if (of->rows) {
    of->finishing = true;
  } else {
    drop_progress(how.id);
    calls_.served.erase(how.id);
  }
}

outbox::admitted outbox::put(outgoing& what, bool may_be_direct) {
  admitted how;
  served_call* of = on_calls_lane(what.what) ? nullptr : calls_.served.find(what.id);
  if (what.what == kind::subscribe && !what.extra.row_credit)
    what.extra.row_credit = default_row_credit;
  const measure takes = measure_of(what);
  const sent::outcome verdict = judge(what, takes, of);
  if (verdict != sent::outcome::left) {
    if (verdict != sent::outcome::closed) ++counts_.refused;
    how.why = verdict;
    return how;
  }
  if (what.full != when_full::queue && !has_room(what, takes, of)) {
    ++counts_.refused;
    how.why = sent::outcome::would_block;
    return how;
  }
  if (may_be_direct && fits_directly(what, takes, of)) {
    how.how = route::direct;
    account(what, takes, of, how);
    return how;
  }

  lane& to = lane_of(what.what, of);
  const bool small_one_way = (what.what == kind::message || what.what == kind::row) &&
                             what.attachments.empty() && what.body.size() <= run_frame_most_bytes;
  how.how = route::queued;
  ++counts_.delayed;
  if (small_one_way) {
    account(what, takes, of, how);
    append_to_run(what, takes, to);
    if (of) {
      of->rows->waiting_bytes += takes.weight;
      join_round(*of->rows);
    }
    return how;
  }
  std::unique_ptr<parcel> made = make_parcel(what);
  if (!made) {
    how.how = route::refused;
    how.why = sent::outcome::no_descriptors;
    return how;
  }
  const bool rows = of && of->rows;
  row_stream* stream = rows ? of->rows.get() : nullptr;
  account(what, takes, of, how);  // may erase what `of` points to
  if (what.what == kind::progress) drop_progress(how.id);
  made->id = how.id;
  made->epoch = how.epoch;
  made->extra = what.extra;
  made->final_answer = is_final(what.what);
  unsent_ += made->weight();
  made->on_answers_lane = !on_calls_lane(what.what) && !stream;
  if (made->on_answers_lane) {
    unsent_answers_ += made->weight();
    how.answers_wait = unsent_answers_ > unsent_limit_ && !std::exchange(answers_wait_, true);
  }
  ++queued_count_;
  if (made->what == kind::row) stream->waiting_bytes += made->weight();
  to.push(std::move(made));
  if (stream) join_round(*stream);
  return how;
}

/// Null if descriptors could not be duplicated.
std::unique_ptr<parcel> outbox::make_parcel(outgoing& what) {
  auto made = std::make_unique<parcel>();
  made->what = what.what;
  if (what.attachments_kept_by) {
    made->attachments.assign(what.attachments.begin(), what.attachments.end());
    made->attachments_kept_by = what.attachments_kept_by;
  } else {
    for (int each : what.attachments) {
      base::fd copy = base::fd::copy(each);
      if (!copy) return nullptr;
      made->attachments.push_back(copy.get());
      made->own_attachments.push_back(std::move(copy));
    }
  }
  if (what.shared) {
    made->shared = what.shared;
    made->shared_body = what.body;
  } else if (what.movable) {
    made->own = std::move(*what.movable);
    made->own.resize(what.body.size());
  } else {
    made->own.append(what.body);
  }
  return made;
}

[[gnu::always_inline]] inline void outbox::append_to_run(const outgoing& what, const measure& takes,
                                                         lane& to) {
  const std::size_t size = takes.size;
  const std::uint32_t epoch = first_epoch_ + static_cast<std::uint32_t>(epochs_.size()) - 1;
  parcel* last = to.back();
  const bool fits = last && last->is_run && !last->pinned && last->epoch == epoch &&
                    last->own.capacity() - last->own.size() >= size;
  if (!fits) {
    auto run = spare_run_ ? std::move(spare_run_) : std::make_unique<parcel>();
    run->is_run = true;
    run->what = what.what;
    run->id = what.id;
    run->epoch = epoch;
    // Never grown later: a packet may borrow the memory.
    run->own.reserve(last && last->is_run ? run_later_bytes : run_first_bytes);
    last = run.get();
    ++queued_count_;
    ++run_count_;
    to.push(std::move(run));
  }
  std::byte* at = last->own.extend(size);
  const std::size_t head =
      write_head(at, what.what, false, 0, what.id, what.extra, what.body.size());
  if (!what.body.empty()) std::memcpy(at + head, what.body.data(), what.body.size());
  std::memset(at + head + what.body.size(), 0, size - head - what.body.size());
  unsent_ += size;
  gathered_ += size;
}

void outbox::join_round(row_stream& of) {
  if (of.in_turn) return;
  of.in_turn = true;
  round_.push_back(&of);
}

void outbox::direct_left(const outgoing& what, const admitted& how) {
  ++counts_.packets_sent;
  counts_.bytes_sent += how.size;
  if (is_ordered(what.what)) epoch_done(how.epoch, 1);
  if (on_calls_lane(what.what)) ++counts_.messages_sent;
  if (what.what == kind::row) ++counts_.rows_sent;
  if (is_call(what.what))
    if (issued_call* call = calls_.issued.find(how.id)) call->left = true;
  if (!is_final(what.what)) return;
  ++counts_.answers_sent;
  if (served_call* of = calls_.served.find(how.id)) {
    if (of->rows && of->rows->in_turn) std::erase(round_, of->rows.get());
    calls_.served.erase(how.id);
  }
}

bool outbox::keep_direct(outgoing& what, const admitted& how) {
  std::unique_ptr<parcel> made = make_parcel(what);
  if (!made) {
    undo_direct(what, how);
    return false;
  }
  made->id = how.id;
  made->epoch = how.epoch;
  made->extra = what.extra;
  made->final_answer = is_final(what.what);
  ++counts_.delayed;
  std::byte head[frame_head_most_bytes];
  packet_.add_staged(
      head, write_head(head, what.what, false, static_cast<std::uint16_t>(made->attachments.size()),
                       how.id, what.extra, made->body().size()));
  packet_.add_borrowed(made->body().data(), made->body().size());
  packet_.add_zeros(base::round_up(packet_.bytes, frame_alignment) - packet_.bytes);
  packet_.attachments = made->attachments;
  take_note(*made, true);
  packet_.kept.push_back(std::move(made));
  return true;
}

void outbox::undo_direct(outgoing& what, const admitted& how) {
  served_call* of = calls_.served.find(how.id);
  if (on_calls_lane(what.what)) credit_.take_back(frame_weight(what));
  if (what.what == kind::row && of) of->rows->credit.take_back(frame_weight(what));
  if (is_call(what.what)) {
    if (issued_call* call = calls_.issued.find(how.id)) what.context = std::move(call->context);
    calls_.issued.erase(how.id);
    answered();
  }
  if (is_final(what.what)) {
    if (of)
      of->finishing = false;
    else
      calls_.served.insert(how.id, served_call{});
  }
  if (is_ordered(what.what)) epoch_done(how.epoch, 1);
}

void outbox::put_credit(std::uint64_t id, std::uint64_t total) {
  if (stopped_) return;
  for (control& each : controls_) {
    if (each.what != kind::credit || each.id != id) continue;
    each.value = total;  // totals are cumulative: the latest says it all
    return;
  }
  controls_.push_back({kind::credit, id, total});
}

void outbox::put_close(std::string text) {
  if (closing_ || stopped_) return;
  closing_ = true;
  close_text_ = std::move(text);
  if (close_text_.empty()) close_text_ = "closed";
  if (close_text_.size() > 4096) close_text_.resize(4096);
}

withdrawn outbox::withdraw(std::uint64_t id, cancel_reason why, bool swallow,
                           base::ref<base::counted>& let_go) {
  issued_call* call = calls_.issued.find(id);
  if (!call) return withdrawn::answered;
  if (!call->left) {
    std::unique_ptr<parcel> waiting = requests_.take_first(
        [&](const parcel& each) { return each.id == id && is_call(each.what) && !each.is_run; });
    if (waiting) {
      const bool begun = call->begun;
      let_go = std::move(call->context);
      calls_.issued.erase(id);
      drop(std::move(waiting));
      if (begun) {  // between two pieces: the peer forgets the id, nothing comes back
        controls_.push_back({kind::cancel, id, static_cast<std::uint64_t>(why)});
        answered();
      }
      note_room();
      return withdrawn::unsent;
    }
  }
  if (swallow) {
    call->swallow = true;
    let_go = std::move(call->context);
  }
  if (!call->cancelled && !stopped_) {
    call->cancelled = true;
    controls_.push_back({kind::cancel, id, static_cast<std::uint64_t>(why)});
  }
  return withdrawn::asked;
}

void outbox::barrier(base::function<void()> then) {
  epochs_.back().then = std::move(then);
  epochs_.emplace_back();
  epoch_done(first_epoch_, 0);
}

void outbox::answered() noexcept {
  if (calls_.open_at_peer) --calls_.open_at_peer;
  if (wants_room_) room_changed_ = true;
}

bool outbox::rows_granted(row_stream& of, std::uint64_t total) {
  if (!of.credit.grant(total)) return false;
  if (!of.queue.empty()) join_round(of);
  note_room();
  if (of.wanted_bytes) room_changed_ = true;
  return true;
}

bool outbox::take_answers_left() noexcept {
  return answers_left() && std::exchange(answers_wait_, false);
}

std::vector<std::uint64_t> outbox::take_writable() {
  room_changed_ = false;
  std::vector<std::uint64_t> out;
  const bool room = unsent_ <= unsent_limit_ / 2;
  if (wants_room_ && room && (!open_ || calls_.issued.size() < peer_.unanswered_count)) {
    wants_room_ = false;
    out.push_back(0);
  }
  if (!room) return out;
  calls_.served.each([&](std::uint64_t id, served_call& of) {
    if (!of.rows || !of.rows->wanted_bytes) return;
    if (!of.rows->credit.affords(of.rows->waiting_bytes + of.rows->wanted_bytes)) return;
    of.rows->wanted_bytes = 0;
    out.push_back(id);
  });
  return out;
}

}  // namespace openxpc::channel
