#include "channel/ring/ring_transport.hpp"

#include "base/clock.hpp"
#include "channel/frame.hpp"
#include "channel/reaper.hpp"
#include "channel/ring/ring.hpp"
#include "channel/ring/yielding.hpp"
#include "channel/transport_around.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

// How the two sides get there: who finds a ring worth it makes the memory and *offers* it; the
// other maps it, *accepts* and sends by ring from then on; the first says *go* and does so, too.
// Each word is the last packet of its direction that is not the ring's business, so the order is
// never in doubt. The words leave in front of the next packet: only who sends may change the way.
//
// A side that polls its socket is *rung* for by a fourth word; so is one that waits for room.
//
// Behind each packet that goes over the socket the ring has a note. A reader may come upon such a
// packet before its note, while it looks for a bell: it is put aside until the note is read.
namespace openxpc::channel {
namespace {

/// The id of a frame of kind `ring`.
enum class word : std::uint8_t { none, offer, accept, go, bell };

/// At the side that makes the memory; beyond it connections stay with their sockets.
constexpr unsigned rings_most = 256;
std::atomic<unsigned> rings{0};

std::size_t size_of(std::span<const iovec> parts) noexcept {
  std::size_t all = 0;
  for (const iovec& each : parts) all += each.iov_len;
  return all;
}

/// A packet that came before its note.
struct put_aside {
  received how;
  std::vector<std::byte> bytes;
  std::vector<base::fd> attachments;
};

class ring_wire final : public transport_around {
 public:
  explicit ring_wire(std::unique_ptr<transport> socket) noexcept
      : transport_around(std::move(socket)) {}
  ~ring_wire() override {
    if (counted_) rings.fetch_sub(1, std::memory_order_relaxed);
  }

  std::uint32_t events(bool to_receive, bool to_send) const noexcept override {
    // Room in the ring is told over the socket.
    const bool rung = to_send && full_ring_.load(std::memory_order_relaxed);
    return inner_->events(to_receive || rung, to_send && !rung);
  }
  std::chrono::nanoseconds patience() const noexcept override { return inner_->patience(); }

  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool with_credentials) noexcept override;
  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override {
    return receive(into, attachments, false);
  }
  received receive_patiently(std::span<const iovec> into,
                             std::vector<base::fd>& attachments) noexcept override {
    return receive(into, attachments, true);
  }
  void stop_receiving() noexcept override;
  void hang_up() noexcept override;
  void allow_shortcut() noexcept override { allowed_ = true; }
  void offer_shortcut() noexcept override;
  bool before_polling() noexcept override;
  bool more_at_hand() const noexcept override { return reads_ring_ && !in_.empty(); }

 private:
  enum class maker : std::uint8_t { nobody, us, peer };

  bool say(word what) noexcept;
  send_result outcome_of(ring_writer::result what) noexcept;
  void use(std::unique_ptr<ring_memory> memory, maker of) noexcept;
  bool heard(word what, std::vector<base::fd>& attachments) noexcept;
  bool follow(word what, std::vector<base::fd>& attachments) noexcept;
  word word_in(std::span<const iovec> into, const received& what) const noexcept;
  received receive(std::span<const iovec> into, std::vector<base::fd>& attachments,
                   bool patiently) noexcept;
  /// What the peer sent before it closed with unread data is still there.
  received receive_from_socket(std::span<const iovec> into,
                               std::vector<base::fd>& attachments) noexcept {
    received got = inner_->receive(into, attachments);
    return got.what == received::result::reset ? inner_->receive(into, attachments)
                                               : std::move(got);
  }
  received receive_from_ring(std::span<const iovec> into, std::vector<base::fd>& attachments,
                             bool patiently) noexcept;
  bool look_on() noexcept;
  bool look_at_socket(std::span<const iovec> into, std::vector<base::fd>& attachments) noexcept;
  received noted_packet(std::span<const iovec> into, std::vector<base::fd>& attachments) noexcept;
  received last_packet(std::span<const iovec> into, std::vector<base::fd>& attachments,
                       received::result otherwise) noexcept;
  static received given(put_aside&& packet, std::span<const iovec> into,
                        std::vector<base::fd>& attachments) noexcept;
  void tell_room() noexcept {
    if (in_.room_is_wanted()) say(word::bell);
  }
  static received broken() noexcept {
    errno = EPROTO;
    received out;
    out.what = received::result::failed;
    return out;
  }

  bool allowed_ = false;
  bool counted_ = false;
  std::unique_ptr<ring_memory> memory_;
  /// What has to be said in front of the next packet.
  std::atomic<word> due_{word::none};
  /// Set, with everything that stop_receiving() and hang_up() need, when there is memory.
  std::atomic<ring_reader*> reader_{nullptr};
  std::atomic<bool> stops_{false};

  // Whoever sends.
  ring_writer out_;
  bool sends_by_ring_ = false;
  std::atomic<bool> full_ring_{false};  ///< a packet waits for room in the ring, not in the socket

  // Whoever reads.
  ring_reader in_;
  yielding yielding_;
  bool reads_ring_ = false;
  bool offered_ = false;  ///< or tried to
  maker memory_of_ = maker::nobody;
  bool polls_ = false;      ///< the writer was told to ring
  unsigned bells_due_ = 0;  ///< rung for us and not yet taken from the socket
  std::optional<put_aside> aside_;
  std::optional<received::result> over_;  ///< how the socket ended
};

// ---- Sending

bool ring_wire::say(word what) noexcept {
  const bool offers = what == word::offer;
  alignas(8) std::byte frame[frame_head_most_bytes];
  const std::size_t size =
      write_head(frame, kind::ring, false, offers ? 1 : 0, static_cast<std::uint64_t>(what), {}, 0);
  const iovec whole{frame, size};
  const int file = offers ? memory_->borrowed_fd() : -1;
  return inner_->send({&whole, 1}, {&file, offers ? 1u : 0u}, false) == send_result::taken;
}

send_result ring_wire::outcome_of(ring_writer::result what) noexcept {
  switch (what) {
    case ring_writer::result::done:
      if (out_.wake()) say(word::bell);
      return send_result::taken;
    case ring_writer::result::full:
      // Nobody can ring for who takes nothing more from its socket.
      if (stops_.load(std::memory_order_relaxed)) return send_result::later;
      full_ring_.store(true, std::memory_order_relaxed);
      return send_result::full;
    case ring_writer::result::stopped:
      return send_result::peer_stopped;
    case ring_writer::result::broken:
      break;
  }
  errno = EPROTO;
  return send_result::failed;
}

send_result ring_wire::send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                            bool with_credentials) noexcept {
  if (!sends_by_ring_) {
    word due = due_.load(std::memory_order_acquire);
    if (due != word::none && say(due)) {
      if (due == word::offer)
        memory_->forget_file();
      else
        sends_by_ring_ = true;
      due_.store(word::none, std::memory_order_relaxed);
    }
    if (!sends_by_ring_) return inner_->send(parts, borrowed_fds, with_credentials);
  }
  const std::size_t size = size_of(parts);
  if (borrowed_fds.empty() && !with_credentials && size <= ring_writer::packet_most_bytes)
    return outcome_of(out_.put(parts, size));
  if (const auto room = out_.room_for_note(); room != ring_writer::result::done)
    return outcome_of(room);
  full_ring_.store(false, std::memory_order_relaxed);
  const send_result sent = inner_->send(parts, borrowed_fds, with_credentials);
  if (sent != send_result::taken) return sent;
  // A reader that stopped meanwhile still finds the packet in its socket, and at the end takes it.
  const send_result noted = outcome_of(out_.note());
  return noted == send_result::peer_stopped ? send_result::taken : noted;
}

// ---- Getting there

void ring_wire::offer_shortcut() noexcept {
  if (!allowed_ || offered_ || memory_) return;
  offered_ = true;
  if (rings.fetch_add(1, std::memory_order_relaxed) >= rings_most) {
    rings.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  counted_ = true;
  auto made = ring_memory::make();
  if (!made) return;  // the socket does as well
  use(std::move(made), maker::us);
  due_.store(word::offer, std::memory_order_release);
}

void ring_wire::use(std::unique_ptr<ring_memory> memory, maker of) noexcept {
  const unsigned direction = of == maker::us ? 0 : 1;  // ours to write
  memory_of_ = of;
  memory_ = std::move(memory);
  out_ = ring_writer(*memory_, direction);
  in_ = ring_reader(*memory_, 1 - direction);
  reader_.store(&in_, std::memory_order_seq_cst);
  if (stops_.load(std::memory_order_seq_cst)) in_.stop();
}

/// What a word brings that is not allowed is closed elsewhere: that may take as long as its sender
/// likes. False: the peer may not say that, or not now.
bool ring_wire::heard(word what, std::vector<base::fd>& attachments) noexcept {
  if (follow(what, attachments) && attachments.empty()) return true;
  bury(attachments);
  return false;
}

bool ring_wire::follow(word what, std::vector<base::fd>& attachments) noexcept {
  switch (what) {
    case word::offer: {
      if (attachments.size() != 1 || memory_) return false;
      auto mapped = ring_memory::map(attachments.front());
      if (!mapped && errno == EPROTO) return false;
      attachments.clear();
      if (!mapped) return true;  // no memory, no ring
      use(std::move(mapped), maker::peer);
      due_.store(word::accept, std::memory_order_release);
      return true;
    }
    case word::accept:
      if (memory_of_ != maker::us || reads_ring_) return false;
      reads_ring_ = true;
      due_.store(word::go, std::memory_order_release);
      return true;
    case word::go:
      if (memory_of_ != maker::peer || reads_ring_) return false;
      reads_ring_ = true;
      return true;
    case word::bell:
      if (bells_due_ > 0) --bells_due_;
      return memory_ != nullptr;
    case word::none:
      break;
  }
  return false;
}

/// Whether a packet is a word to us, and which; none otherwise.
word ring_wire::word_in(std::span<const iovec> into, const received& what) const noexcept {
  if (!allowed_ || what.what != received::result::packet || what.size != header_bytes)
    return word::none;
  const auto said = base::load<frame_header>(static_cast<const std::byte*>(into[0].iov_base));
  const auto known = static_cast<std::uint64_t>(word::bell);
  if (said.kind != static_cast<std::uint8_t>(kind::ring) || said.id == 0 || said.id > known)
    return word::none;  // the inbox will say what is wrong with it
  return static_cast<word>(said.id);
}

// ---- Receiving

received ring_wire::receive(std::span<const iovec> into, std::vector<base::fd>& attachments,
                            bool patiently) noexcept {
  while (!reads_ring_) {
    received got = patiently ? inner_->receive_patiently(into, attachments)
                             : inner_->receive(into, attachments);
    const word said = word_in(into, got);
    if (said == word::none) return got;
    if (!heard(said, attachments)) return broken();
  }
  return receive_from_ring(into, attachments, patiently);
}

received ring_wire::receive_from_ring(std::span<const iovec> into,
                                      std::vector<base::fd>& attachments, bool patiently) noexcept {
  if (polls_) {
    polls_ = false;
    if (in_.end_polling()) ++bells_due_;
  }
  bool looked = false, looked_on = false, slept = false;
  for (;;) {
    // A bell that stays in the socket would ring again and again.
    if (bells_due_ > 0 && !patiently && !looked) {
      looked = true;
      if (!look_at_socket(into, attachments)) return broken();
    }
    received out;
    switch (in_.take(into, out.size)) {
      case ring_reader::found::packet:
        out.what = received::result::packet;
        out.truncated = out.size > size_of(into);
        return out;
      case ring_reader::found::note:
        return noted_packet(into, attachments);
      case ring_reader::found::stopped:
        if (!stops_.load(std::memory_order_relaxed)) return broken();  // that is ours to say
        return last_packet(into, attachments, received::result::end);
      case ring_reader::found::broken:
        return broken();
      case ring_reader::found::nothing:
        break;
    }
    if (over_) return last_packet(into, attachments, *over_);
    if (patiently && !looked_on) {
      looked_on = true;
      if (look_on()) continue;
    }
    if (patiently && !slept) {
      slept = true;
      in_.announce(rest::sleep);
      tell_room();
      if (!in_.sleep(patience())) return out;
      continue;
    }
    // Woken for nothing by a peer, or by ourselves at the end: the socket knows.
    if (looked) return out;
    looked = true;
    if (!look_at_socket(into, attachments)) return broken();
  }
}

/// Looks on for a moment, where that has paid. True: a packet has come.
bool ring_wire::look_on() noexcept {
  if (!yielding_.worth_it()) return false;
  const base::tick before = base::current_tick();
  bool found = false, held_up = false;
  for (unsigned times = 0; !found && !held_up && times < yielding::times_most; ++times) {
    ::sched_yield();
    found = !in_.empty();
    held_up = base::current_tick() != before;
  }
  yielding_.tell(held_up ? yielding::outcome::held_up
                 : found ? yielding::outcome::found
                         : yielding::outcome::nothing);
  return found;
}

/// Takes one packet from the socket while none is due there. False: what came is not allowed.
bool ring_wire::look_at_socket(std::span<const iovec> into,
                               std::vector<base::fd>& attachments) noexcept {
  if (aside_ || over_) return true;
  received got = receive_from_socket(into, attachments);
  if (got.what == received::result::nothing) {
    bells_due_ = 0;  // on its way, or the socket was full and shows that there is something anyway
    return true;
  }
  if (got.what != received::result::packet) {
    over_ = got.what;
    return true;
  }
  if (const word said = word_in(into, got); said != word::none) return heard(said, attachments);
  aside_.emplace();
  std::size_t left = std::min(got.size, size_of(into));
  aside_->bytes.reserve(left);
  for (const iovec& each : into) {
    const auto* from = static_cast<const std::byte*>(each.iov_base);
    const std::size_t part = std::min(left, each.iov_len);
    aside_->bytes.insert(aside_->bytes.end(), from, from + part);
    left -= part;
  }
  aside_->attachments.swap(attachments);
  aside_->how = std::move(got);
  return true;
}

/// The packet whose note was read.
received ring_wire::noted_packet(std::span<const iovec> into,
                                 std::vector<base::fd>& attachments) noexcept {
  for (;;) {
    if (auto aside = std::exchange(aside_, std::nullopt))
      return given(*std::move(aside), into, attachments);
    received got = receive_from_socket(into, attachments);
    if (got.what != received::result::packet) return broken();  // the note lied
    const word said = word_in(into, got);
    if (said == word::none) return got;
    if (!heard(said, attachments)) return broken();
  }
}

/// Nothing more is written. A packet that left before its note could be written is still there.
received ring_wire::last_packet(std::span<const iovec> into, std::vector<base::fd>& attachments,
                                received::result otherwise) noexcept {
  while (!over_ && !aside_)
    if (!look_at_socket(into, attachments)) return broken();
  if (auto aside = std::exchange(aside_, std::nullopt))
    return given(*std::move(aside), into, attachments);
  received out;
  out.what = otherwise;
  return out;
}

received ring_wire::given(put_aside&& packet, std::span<const iovec> into,
                          std::vector<base::fd>& attachments) noexcept {
  std::size_t done = 0;
  for (const iovec& each : into) {
    const std::size_t part = std::min(packet.bytes.size() - done, each.iov_len);
    std::memcpy(each.iov_base, packet.bytes.data() + done, part);
    done += part;
  }
  attachments = std::move(packet.attachments);
  return std::move(packet.how);
}

bool ring_wire::before_polling() noexcept {
  if (!reads_ring_ || over_) return true;
  if (!polls_) {
    in_.announce(rest::poll);
    polls_ = true;
  }
  tell_room();
  if (in_.empty()) return true;
  polls_ = false;
  if (in_.end_polling()) ++bells_due_;
  return false;
}

// ---- The end

void ring_wire::stop_receiving() noexcept {
  stops_.store(true, std::memory_order_seq_cst);
  inner_->stop_receiving();
  if (ring_reader* in = reader_.load(std::memory_order_seq_cst)) in->stop();
}

void ring_wire::hang_up() noexcept {
  inner_->hang_up();
  if (ring_reader* in = reader_.load(std::memory_order_seq_cst)) in->wake_here();
}

}  // namespace

std::unique_ptr<transport> ring_transport(std::unique_ptr<transport> socket) {
  return std::make_unique<ring_wire>(std::move(socket));
}

}  // namespace openxpc::channel
