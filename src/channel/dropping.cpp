#include "channel/outbox.hpp"

// What never leaves, and what is told about it. Memory that the packet under way borrows is kept
// until that has left.

namespace openxpc::channel {
namespace {

std::uint64_t frames_left(const parcel& what) noexcept {
  if (!what.is_run) return 1;
  std::uint64_t count = 0;
  for (std::size_t at = what.done_bytes; at < what.own.size(); ++count) {
    const auto header = base::load<frame_header>(what.own.data() + at);
    at += frame_size(header.flags, header.length);
  }
  return count;
}

}  // namespace

void outbox::epoch_done(std::uint32_t number, std::uint64_t count) {
  epochs_[number - first_epoch_].open -= count;
  std::size_t done = 0;
  while (done + 1 < epochs_.size() && epochs_[done].open == 0) {
    released_.push_back(std::move(epochs_[done].then));
    ++done;
  }
  if (done == 0) return;
  epochs_.erase(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(done));
  first_epoch_ += static_cast<std::uint32_t>(done);
}

void outbox::retire(std::unique_ptr<parcel> what) {
  if (what->pinned) packet_.kept.push_back(std::move(what));
}

void outbox::drop(std::unique_ptr<parcel> what) {
  const std::uint64_t frames = frames_left(*what);
  counts_.dropped_unsent += frames;
  if (what->is_run) {
    unsent_ -= what->bytes_left();
    gathered_ -= what->bytes_left();
  } else if (!what->begun) {
    unsent_ -= what->weight();
    if (what->on_answers_lane) unsent_answers_ -= what->weight();
  }
  if (what->what == kind::row && (what->is_run || !what->begun))
    if (served_call* of = calls_.served.find(what->id); of && of->rows)
      of->rows->waiting_bytes -= what->weight();
  --queued_count_;
  if (what->is_run) --run_count_;
  const bool ordered = what->what != kind::failure && what->what != kind::progress &&
                       what->what != kind::end && what->what != kind::accepted;
  const std::uint32_t epoch = what->epoch;
  retire(std::move(what));
  if (ordered) epoch_done(epoch, frames);
  note_room();
}

void outbox::drop_lane(lane& of) {
  while (!of.empty()) drop(of.pop());
}

void outbox::drop_progress(std::uint64_t id) {
  if (answers_.empty()) return;
  auto old = answers_.take_first(
      [&](const parcel& each) { return each.what == kind::progress && each.id == id; });
  if (!old) return;
  drop(std::move(old));
  --counts_.dropped_unsent;  // replaced by something newer: that is what "latest only" means
}

void outbox::drop_rows(row_stream& of) {
  if (continued_row_ == &of)
    return;  // a row under way is finished; what is behind it goes when credit is out
  while (auto row = of.queue.take_first([](const parcel& each) { return each.what == kind::row; }))
    drop(std::move(row));
  if (!of.queue.empty()) join_round(of);
}

void outbox::lose(std::uint64_t id, fate how, lost_calls& lost) {
  issued_call* call = calls_.issued.find(id);
  if (!call) return;
  if (!call->swallow) lost.push_back({id, std::move(call->context), how});
  calls_.issued.erase(id);
}

void outbox::stop_sending(lost_calls& lost) {
  stopped_ = true;
  std::vector<std::uint64_t> unaccepted;
  calls_.issued.each([&](std::uint64_t id, issued_call& call) {
    if (!call.left) unaccepted.push_back(id);
  });
  for (std::uint64_t id : unaccepted) lose(id, fate::not_accepted, lost);
  drop_lane(requests_);
  drop_lane(answers_);
  calls_.served.each([&](std::uint64_t, served_call& of) {
    if (!of.rows) return;
    drop_lane(of.rows->queue);
    of.rows->in_turn = false;
  });
  round_.clear();
  continued_row_ = nullptr;
  controls_.clear();
  close_text_.clear();
  for (auto [number, count] : packet_.arrives) epoch_done(number, count);
  counts_.dropped_unsent += packet_.messages + packet_.rows + packet_.answers;
  packet_.clear();
  if (wants_room_) room_changed_ = true;
}

void outbox::lose_all(lost_calls& lost) {
  std::vector<std::pair<std::uint64_t, fate>> open;
  calls_.issued.each([&](std::uint64_t id, issued_call& call) {
    open.emplace_back(id, call.left ? fate::outcome_unknown : fate::not_accepted);
  });
  for (auto [id, how] : open) lose(id, how, lost);
}

void outbox::stop_waiting_for_credit(lost_calls& lost) {
  no_more_credit_ = true;
  lose_all(lost);
  while (auto waiting = requests_.take_first(
             [](const parcel& each) { return !each.is_run && each.what != kind::message; }))
    drop(std::move(waiting));
  calls_.served.each([&](std::uint64_t, served_call& of) {
    if (of.rows && !of.rows->queue.empty()) join_round(*of.rows);
  });
}

void outbox::note_room() noexcept {
  if (wants_room_ && unsent_ <= unsent_limit_ / 2) room_changed_ = true;
}

}  // namespace openxpc::channel
