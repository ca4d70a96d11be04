#pragma once

#include "base/block.hpp"
#include "base/buffer.hpp"
#include "base/fd.hpp"
#include "base/ref.hpp"
#include "channel/frame.hpp"

#include <cstdint>
#include <memory>
#include <vector>

// What waits in the outbox, and the packet it is put into.
namespace openxpc::channel {

/// One frame or message that could not leave at once, or a *run*: many small one-way frames,
/// already encoded one behind the other, so that a producer of rows costs no allocation for each
/// and a packet can take them all as one piece of memory.
struct parcel {
  std::unique_ptr<parcel> next;
  kind what = kind::message;
  bool is_run = false;
  bool begun = false;   ///< a piece of it has been packed
  bool pinned = false;  ///< the packet under way borrows its memory
  bool final_answer = false;
  bool on_answers_lane = false;
  std::uint32_t epoch = 0;
  std::uint64_t id = 0;
  extensions extra;
  /// The body, or the frames of a run; `own` or `shared` holds it.
  base::buffer own;
  base::ref<base::block> shared;
  std::size_t done_bytes = 0;  ///< of the body or run, packed so far
  std::vector<base::fd> own_attachments;
  std::vector<int> attachments;
  base::ref<base::counted> attachments_kept_by;
  std::size_t done_attachments = 0;

  base::bytes body() const noexcept { return shared ? shared_body : own.view(); }
  base::bytes shared_body;
  std::size_t bytes_left() const noexcept { return body().size() - done_bytes; }
  std::size_t attachments_left() const noexcept { return attachments.size() - done_attachments; }
  /// What it counts against unsent_bytes while nothing of it is packed.
  std::uint64_t weight() const noexcept {
    return bytes_left() + (is_run ? 0 : header_bytes + extensions_size(extra.flags())) +
           attachments_left() * attachment_weight_bytes;
  }
};

/// Parcels in their order.
class lane {
 public:
  lane() = default;
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  ~lane() {
    while (first_) pop();  // one by one: the chain may be long
  }
  bool empty() const noexcept { return !first_; }
  parcel* front() const noexcept { return first_.get(); }
  parcel* back() const noexcept { return last_; }
  void push(std::unique_ptr<parcel> what) noexcept {
    parcel* at = what.get();
    (last_ ? last_->next : first_) = std::move(what);
    last_ = at;
  }
  std::unique_ptr<parcel> pop() noexcept {
    std::unique_ptr<parcel> out = std::move(first_);
    first_ = std::move(out->next);
    if (!first_) last_ = nullptr;
    return out;
  }
  /// Takes the first parcel out that `which` names; null if there is none.
  template <class F>
  std::unique_ptr<parcel> take_first(F&& which) {
    parcel* before = nullptr;
    for (parcel* at = first_.get(); at; before = at, at = at->next.get()) {
      if (!which(*at)) continue;
      std::unique_ptr<parcel>& link = before ? before->next : first_;
      std::unique_ptr<parcel> out = std::move(link);
      link = std::move(out->next);
      if (last_ == out.get()) last_ = before;
      return out;
    }
    return nullptr;
  }

 private:
  std::unique_ptr<parcel> first_;
  parcel* last_ = nullptr;
};

/// A packet made of frames, as pieces of memory that need not be joined, and what has to be
/// remembered when it has left.
struct packet {
  /// A piece of memory; null means at `offset` of `staging`, whose address may change until the
  /// packet is complete.
  struct part {
    const std::byte* at;
    std::size_t offset, size;
  };
  base::buffer staging;
  std::vector<part> parts;
  std::vector<int> attachments;
  std::size_t bytes = 0;
  bool with_credentials = false;
  /// Memory that the parts lie in.
  std::vector<std::unique_ptr<parcel>> kept;
  std::vector<parcel*> pinned;
  /// Requests and subscriptions whose first (last) frame is in it.
  std::vector<std::uint64_t> begins, completes;
  /// Subscriptions of the peer whose final answer is in it.
  std::vector<std::uint64_t> ends;
  /// How many ordered things of which epoch are complete with it (barriers).
  std::vector<std::pair<std::uint32_t, std::uint64_t>> arrives;
  std::uint64_t messages = 0, rows = 0, answers = 0;
  bool has_close = false;

  bool empty() const noexcept { return bytes == 0; }
  void add_staged(const void* from, std::size_t size) {
    if (size == 0) return;
    const std::size_t at = staging.size();
    std::memcpy(staging.extend(size), from, size);
    note_staged(at, size);
  }
  void add_zeros(std::size_t size) {
    if (size == 0) return;
    const std::size_t at = staging.size();
    std::memset(staging.extend(size), 0, size);
    note_staged(at, size);
  }
  void add_borrowed(const std::byte* at, std::size_t size) {
    if (size == 0) return;
    if (!parts.empty() && parts.back().at && parts.back().at + parts.back().size == at)
      parts.back().size += size;
    else
      parts.push_back({at, 0, size});
    bytes += size;
  }
  void note_arrival(std::uint32_t epoch, std::uint64_t count) {
    if (!arrives.empty() && arrives.back().first == epoch)
      arrives.back().second += count;
    else
      arrives.emplace_back(epoch, count);
  }
  /// Ready for the next one; keeps modest buffers.
  void clear() {
    staging.clear();
    if (staging.capacity() > 65536) staging = base::buffer();
    parts.clear();
    attachments.clear();
    bytes = 0;
    with_credentials = has_close = false;
    kept.clear();
    pinned.clear();
    begins.clear();
    completes.clear();
    ends.clear();
    arrives.clear();
    messages = rows = answers = 0;
  }

 private:
  void note_staged(std::size_t at, std::size_t size) {
    if (!parts.empty() && !parts.back().at)  // staged parts follow one another
      parts.back().size += size;
    else
      parts.push_back({nullptr, at, size});
    bytes += size;
  }
};

}  // namespace openxpc::channel
