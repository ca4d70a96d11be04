#include "channel/body.hpp"
#include "channel/reaper.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>

// Receiving, by whoever holds the reader role. The packet lands in memory of the reading thread;
// the inbox looks at it under the lock, what came out of it goes to the sink without.

namespace openxpc::channel {
namespace {

/// What a reading thread needs and keeps. A sink never reads, so it is never needed twice at once.
struct scratch {
  base::buffer packet;
  std::vector<base::fd> attachments, rubbish;
  std::vector<arrival> arrivals;
  bool landed = false;  ///< only the header is in `packet`, the rest is where the inbox wanted it
};
// Not inlined: the address of a thread's variable would be looked up at every use.
[[gnu::noinline]] scratch& own_scratch() {
  static thread_local scratch own;
  return own;
}

closing refused_by_peer(refusal&& what) {
  return {closing::reason::peer_refused, false, what.code, what.may_retry, what.moved,
          std::move(what.text)};
}

/// A packet so long comes seldom alone.
constexpr std::size_t much_bytes = 4096;
/// How much one turn of the engine takes from one connection before others have theirs.
constexpr unsigned turn_most_packets = 32;

}  // namespace

void channel_body::ready(std::uint32_t events) {
  base::ref<sink> up;
  bool in_row = false;
  {
    locked hold(lock_);
    if (!role_.engine_claims()) {  // somebody else reads, and will arm again
      registration_.spend();
      // A reader that hears no bell has left the sending to us.
      if (!(events & EPOLLOUT) || !blocked_ || retrying_ || ending_) return;
      blocked_ = false;
      return flush(hold);
    }
    calls_in_row_ = 0;
    up = up_;
    if (!retrying_) blocked_ = false;
    const std::uint64_t before = in_.counts().packets_received;
    read_many(hold, nullptr);
    in_row = calls_in_row(in_.counts().packets_received - before);
    hand_over(hold, nullptr);
  }
  up->role_given_up(true);
  if (in_row) linger(up);
}

/// Receives what is there. One look costs a system call, so a second one is only worth it when more
/// is likely: after a long packet, or when the last turns found several. What is overlooked makes
/// the registration fire at once.
/// @param first  what a caller has received already, if it has.
void channel_body::read_many(locked& hold, const waiter* who, received* first, int error) {
  unsigned got = 0;
  while (got < turn_most_packets && !read_over_) {
    const heard what = first ? take_received(hold, *first, error) : receive_one(hold);
    first = nullptr;
    if (what == heard::over) return;
    if (what == heard::nothing) {
      eager_ = got > 1;
      return;
    }
    ++got;
    if (ending_ || (who && role_.is_finished(*who))) return;
    const bool go_on = what == heard::much || eager_ || wire_->more_at_hand() || ++reads_ % 32 == 0;
    if (!go_on) return;
  }
  eager_ = true;
}

channel_body::heard channel_body::receive_one(locked& hold) {
  transport* wire = wire_.get();
  hold.unlock();
  received how = receive_unlocked(*wire);
  const int error = errno;
  hold.lock();
  return take_received(hold, how, error);
}

received channel_body::receive_unlocked(transport& wire, bool patiently) {
  scratch& own = own_scratch();
  if (own.packet.size() != limits_.packet_bytes) own.packet.resize(limits_.packet_bytes);
  // While a long message is open its next piece is received where it belongs.
  const std::span<std::byte> landing = opened_ ? in_.landing() : std::span<std::byte>();
  const iovec into[2] = {{own.packet.data(), landing.empty() ? own.packet.size() : header_bytes},
                         {landing.data(), landing.size()}};
  const std::span<const iovec> places(into, landing.empty() ? 1 : 2);
  own.landed = !landing.empty();
  own.attachments.clear();
  received how = patiently ? wire.receive_patiently(places, own.attachments)
                           : wire.receive(places, own.attachments);
  // The peer closed with unread data; what it sent before that is still there.
  if (how.what == received::result::reset) how = wire.receive(places, own.attachments);
  return how;
}

channel_body::heard channel_body::take_received(locked& hold, received& how, int error) {
  switch (how.what) {
    case received::result::packet:
      return take_packet(hold, {own_scratch().packet.data(), how.size}, how);
    case received::result::nothing:
      return heard::nothing;
    case received::result::reset:
    case received::result::end:
      stream_ended(hold);
      return heard::over;
    case received::result::failed:
      begin_end(hold, why::system_error, std::string("receiving failed: ") + std::strerror(error));
      return heard::over;
  }
  return heard::over;
}

channel_body::heard channel_body::take_packet(locked& hold, base::bytes packet, received& how) {
  scratch& own = own_scratch();
  if (ending_) {
    bury(own.attachments);
    return heard::over;
  }
  if (how.truncated) {
    bury(own.attachments);
    begin_end(hold, why::protocol_error, "a packet longer than our packet_bytes");
    return heard::over;
  }
  if (!opened_) {
    bury(own.attachments);  // nobody may send any yet
    take_greeting(hold, packet, how);
    return opened_ && !ending_ ? heard::little : heard::over;
  }
  own.arrivals.clear();
  inbox::outcome end;
  const bool taken = own.landed && in_.take_landed({own.packet.data(), header_bytes}, packet.size(),
                                                   own.attachments, how.attachments_lost,
                                                   own.arrivals, own.rubbish, end);
  if (!taken) {
    if (own.landed && packet.size() > header_bytes)
      std::memcpy(own.packet.data() + header_bytes, in_.landing().data(),
                  packet.size() - header_bytes);
    end = in_.take(packet, own.attachments, how.attachments_lost, own.arrivals, own.rubbish);
  }
  hold.unlock();
  for (arrival& each : own.arrivals) up_->arrived(std::move(each));
  own.arrivals.clear();
  bury(own.rubbish);
  hold.lock();
  if (end.over()) return said_to_end(hold, end);
  return packet.size() >= much_bytes ? heard::much : heard::little;
}

channel_body::heard channel_body::said_to_end(locked& hold, inbox::outcome& end) {
  closing why_over;
  if (end.fault) {
    why_over.why = why::protocol_error;
    why_over.text = std::move(*end.fault);
  } else if (end.refused) {
    why_over = refused_by_peer(std::move(*end.refused));
  } else {
    why_over.why = why::peer_closed;
    why_over.text = std::move(end.closed).value_or("");
  }
  begin_end(hold, std::move(why_over));
  return heard::over;
}

void channel_body::take_greeting(locked& hold, base::bytes packet, received& how) {
  greeting what = read_greeting(packet, side_);
  if (what.refused) {
    closing refused = refused_by_peer(std::move(*what.refused));
    if (side_ == side::connecting && refused.moved)
      return lose_wire_before_hello(hold, std::move(refused));
    return begin_end(hold, std::move(refused));
  }
  if (what.objection) {
    greeting_ = refusal_packet(*what.objection);
    end_after_greeting_ = true;
    const send_result told = send_greeting(hold);
    how_.text = what.objection->text;
    if (told != send_result::taken) begin_end(hold, why::we_refused, what.objection->text);
    return;
  }
  if (!what.said) return;  // one of the three is there
  if (side_ == side::connecting) {
    greeting_ = hello_packet(limits_, side_, &*what.said);
    if (send_greeting(hold) != send_result::taken) {
      closing gone;
      return lose_wire_before_hello(hold, std::move(gone));
    }
  }
  open(hold, *what.said, how);
}

void channel_body::open(locked& hold, const hello& said, received& how) {
  auto peer = std::make_unique<peer_info>();
  describe(said, *peer);
  // The accepting side takes the client from the socket, which remembers who connected; the
  // connecting side must not: there it names whoever listened then, the service manager or a
  // process that is gone (threat model, F8 and F9).
  std::optional<credentials> who = how.sender;
  if (side_ == side::accepting)
    who = wire_->peer(limits_.want_pidfd ? &peer->pidfd : nullptr);
  else
    peer->pidfd = std::move(how.sender_pidfd);
  if (who) {
    peer->pid = who->pid;
    peer->uid = who->uid;
    peer->gid = who->gid;
  }
  // From here on nobody looks at the sender of a packet, so the kernel need not say. (Proof of a
  // peer will want it on.)
  wire_->want_sender(false, false);
  if (peer->features & feature::ring) wire_->allow_shortcut();
  in_.set_same_clock(peer->same_clock);
  out_.open(limits_of(said, wire_->packet_most_bytes()), lost_);
  peer_ = std::move(peer);
  opened_ = true;
  told_peer_.store(peer_.get(), std::memory_order_release);
  engine::timer done = std::move(hello_timer_);
  hold.unlock();
  done = engine::timer();
  up_->opened(*peer_);
  hold.lock();
  flush(hold);
}

void channel_body::stream_ended(locked& hold) {
  if (ending_) return;
  if (!opened_ && side_ == side::connecting) return lose_wire_before_hello(hold, closing{});
  if (!opened_ || !stopping_ || out_.stopped())
    return begin_end(hold, why::peer_gone,
                     opened_ ? "the peer is gone" : "the peer left before its hello");
  // Planned stop: that was all the peer had sent. Our own calls cannot be answered any more.
  read_over_ = true;
  drained_due_ = true;
  out_.stop_waiting_for_credit(lost_);
}

/// Nothing was said, so everything may be repeated on another wire.
void channel_body::lose_wire_before_hello(locked& hold, closing how) {
  std::unique_ptr<transport> old = std::move(wire_);
  engine::registration done = std::move(registration_);
  greeting_ = base::buffer();
  blocked_ = false;
  hold.unlock();
  done.remove();
  old.reset();
  if (how.text.empty()) how.text = "the service left before its hello";
  up_->not_opened(how);
  hold.lock();
}

}  // namespace openxpc::channel
