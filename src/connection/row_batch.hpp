#pragma once

#include "base/buffer.hpp"
#include "channel/reaper.hpp"
#include "channel/sink.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace openxpc::connection {

/// Rows that arrived and wait to be taken, as bytes behind one another. An object is made of a row
/// only when it is taken: hundreds come in one packet, and objects of all of them at once would
/// leave the processor's cache, and the allocator's, before the first is looked at.
class row_batch {
 public:
  struct row {
    std::uint64_t sequence = 0;
    std::uint64_t missed = 0;  ///< rows that the writer dropped before this one
    channel::charge held;
    std::size_t begin = 0, size = 0;
    std::unique_ptr<channel::arrival> special;  ///< with descriptors, joined, or incomplete
  };

  row_batch() = default;
  row_batch(const row_batch&) = delete;
  row_batch& operator=(const row_batch&) = delete;
  ~row_batch() { drop(); }
  void swap(row_batch& other) noexcept {
    std::swap(bytes_, other.bytes_);
    rows_.swap(other.rows_);
    std::swap(next_, other.next_);
  }

  bool empty() const noexcept { return next_ == rows_.size(); }

  void add(channel::arrival&& what, std::uint64_t sequence, std::uint64_t missed) {
    row& added = rows_.emplace_back();
    added.sequence = sequence;
    added.missed = missed;
    added.held = what.held;
    if (what.whole || !what.attachments.empty() || what.lost_attachments || what.not_taken) {
      added.special = std::make_unique<channel::arrival>(std::move(what));
      if (!added.special->whole) keep_body(added, added.special->body);
      return;
    }
    keep_body(added, what.body);
  }

  /// The next one. Precondition: !empty(). Valid until the batch is changed.
  row& take() noexcept { return rows_[next_++]; }
  base::bytes body_of(const row& of) const noexcept { return {bytes_.data() + of.begin, of.size}; }

  /// Forgets what was not taken.
  void drop() noexcept {
    // Their close() may block for as long as their sender chose.
    for (row& each : rows_)
      if (each.special) channel::bury(each.special->attachments);
    next_ = rows_.size();
  }
  /// Makes place for the next rows. Memory of a rare burst is not kept. Precondition: empty().
  void clear() noexcept {
    if (bytes_.capacity() > kept_most_bytes) bytes_ = base::buffer();
    bytes_.clear();
    rows_.clear();
    next_ = 0;
  }

 private:
  static constexpr std::size_t kept_most_bytes = 65536;

  void keep_body(row& of, base::bytes body) {
    of.begin = bytes_.size();
    of.size = body.size();
    bytes_.append(body);
  }

  base::buffer bytes_;
  std::vector<row> rows_;
  std::size_t next_ = 0;
};

}  // namespace openxpc::connection
