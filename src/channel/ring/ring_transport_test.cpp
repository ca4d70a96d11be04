#include "channel/ring/ring_transport.hpp"

#include "channel/frame.hpp"
#include "channel/ring/ring.hpp"
#include "channel/socket/socket_transport.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace openxpc::channel {
namespace {

using what = received::result;

constexpr int offer = 1, accept = 2, go = 3, bell = 4;

struct end {
  std::unique_ptr<transport> wire;

  send_result send(std::string_view text, std::span<const int> fds = {}) const {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return wire->send({&part, 1}, fds, false);
  }
  void send_all(std::string_view text, std::span<const int> fds = {}) const {
    for (;;) {
      const send_result how = send(text, fds);
      if (how == send_result::taken) return;
      ASSERT_EQ(how, send_result::full);
      std::string none;
      pollfd room{wire->borrowed_fd(), static_cast<short>(wire->events(false, true)), 0};
      ASSERT_EQ(::poll(&room, 1, 20'000), 1) << "nobody told of room";
      if (room.revents & POLLIN) take(none);  // a bell
    }
  }
  what take(std::string& text, std::size_t* fds = nullptr, bool patiently = false) const {
    text.assign(300'000, '\0');
    const iovec into{text.data(), text.size()};
    std::vector<base::fd> attachments;
    const received got = patiently ? wire->receive_patiently({&into, 1}, attachments)
                                   : wire->receive({&into, 1}, attachments);
    text.resize(got.size);
    if (fds) *fds = attachments.size();
    return got.what;
  }
  /// Waits for the next packet as an engine does.
  what next(std::string& text, std::size_t* fds = nullptr) const {
    for (;;) {
      const what got = take(text, fds);
      if (got != what::nothing) return got;
      if (!wire->before_polling()) continue;
      pollfd there{wire->borrowed_fd(), POLLIN, 0};
      if (::poll(&there, 1, 20'000) != 1) return what::nothing;
    }
  }
  /// Waits for it as a synchronous caller does.
  what next_patiently(std::string& text) const {
    const what got = take(text, nullptr, true);
    return got == what::nothing ? next(text) : got;
  }
};

struct pair {
  end maker, other;
  explicit pair(bool allowed = true) {
    socket_pair both = new_socket_pair();
    maker.wire = ring_transport(socket_transport(std::move(both.one)));
    other.wire = ring_transport(socket_transport(std::move(both.other)));
    if (!allowed) return;
    maker.wire->allow_shortcut();
    other.wire->allow_shortcut();
  }
  /// Both send by ring from here on.
  void join() {
    maker.wire->offer_shortcut();
    std::string text;
    for (const char* each : {"one", "two"}) {
      ASSERT_EQ(maker.send(each), send_result::taken);
      ASSERT_EQ(other.next(text), what::packet);
      ASSERT_EQ(text, each);
      ASSERT_EQ(other.send(each), send_result::taken);
      ASSERT_EQ(maker.next(text), what::packet);
      ASSERT_EQ(text, each);
    }
  }
};

/// One end driven by hand.
struct by_hand {
  end victim;
  std::unique_ptr<transport> wire;
  by_hand() {
    socket_pair both = new_socket_pair();
    victim.wire = ring_transport(socket_transport(std::move(both.one)));
    victim.wire->allow_shortcut();
    wire = socket_transport(std::move(both.other));
  }
  void say(int word, std::span<const int> fds = {}) const {
    std::byte frame[frame_head_most_bytes];
    const std::size_t size =
        write_head(frame, kind::ring, false, static_cast<std::uint16_t>(fds.size()),
                   static_cast<std::uint64_t>(word), {}, 0);
    const iovec whole{frame, size};
    ASSERT_EQ(wire->send({&whole, 1}, fds, false), send_result::taken);
  }
  /// The victim's verdict on what was said.
  what verdict() const {
    std::string text;
    return victim.take(text);
  }
};

TEST(RingTransport, SmallPacketsLeaveTheSocketAlone) {
  pair both;
  both.join();
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(both.maker.send(std::to_string(i)), send_result::taken);
    pollfd socket{both.other.wire->borrowed_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&socket, 1, 0), 0);
    ASSERT_EQ(both.other.take(text), what::packet);
    ASSERT_EQ(text, std::to_string(i));
  }
}

TEST(RingTransport, WithoutTheAgreementOfBothItStaysASocket) {
  pair both(false);
  both.maker.wire->offer_shortcut();
  std::string text;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(both.maker.send("text"), send_result::taken);
    pollfd socket{both.other.wire->borrowed_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&socket, 1, 0), 1);
    ASSERT_EQ(both.other.take(text), what::packet);
    ASSERT_EQ(both.other.send("back"), send_result::taken);
    ASSERT_EQ(both.maker.take(text), what::packet);
  }
}

TEST(RingTransport, LongPacketsAndDescriptorsKeepTheirPlace) {
  for (const bool patient : {false, true}) {
    pair both;
    both.join();
    constexpr int count = 3000;
    auto text_of = [](int i) {
      const std::size_t size = i % 7 == 0 ? 30'000 : i % 5 == 0 ? 5000 : 20;
      std::string out(size, static_cast<char>('a' + i % 26));
      return out + std::to_string(i);
    };
    std::thread sends([&] {
      const int fds[2] = {0, 1};
      for (int i = 0; i < count; ++i)
        both.maker.send_all(
            text_of(i), std::span<const int>(fds, i % 11 == 0 ? static_cast<std::size_t>(2) : 0));
    });
    std::string text;
    for (int i = 0; i < count; ++i) {
      std::size_t fds = 0;
      const what got =
          patient && i % 11 ? both.other.next_patiently(text) : both.other.next(text, &fds);
      ASSERT_EQ(got, what::packet) << i;
      ASSERT_EQ(text, text_of(i));
      if (i % 11 == 0) {
        ASSERT_EQ(fds, 2u);
      }
    }
    sends.join();
  }
}

TEST(RingTransport, BothWaysAtOnceNothingIsLostOrLate) {
  pair both;
  both.join();
  constexpr int calls = 5000;
  std::thread serves([&] {
    std::string text;
    for (int i = 0; i < calls; ++i) {
      ASSERT_EQ(i % 3 ? both.maker.next_patiently(text) : both.maker.next(text), what::packet);
      both.maker.send_all(text);
    }
  });
  std::string text;
  for (int i = 0; i < calls; ++i) {
    both.other.send_all(std::to_string(i));
    ASSERT_EQ(i % 5 ? both.other.next_patiently(text) : both.other.next(text), what::packet);
    ASSERT_EQ(text, std::to_string(i));
  }
  serves.join();
}

TEST(RingTransport, WhatWasSentBeforeTheEndArrivesFirst) {
  for (int round = 0; round < 30; ++round) {
    pair both;
    both.join();
    std::string text;
    for (int i = 0; i <= round; ++i)
      ASSERT_EQ(both.maker.send(std::to_string(i)), send_result::taken);
    both.maker.wire.reset();
    for (int i = 0; i <= round; ++i) {
      ASSERT_EQ(both.other.next(text), what::packet);
      ASSERT_EQ(text, std::to_string(i));
    }
    EXPECT_EQ(both.other.next(text), what::end);
    EXPECT_EQ(both.other.next_patiently(text), what::end);
  }
}

TEST(RingTransport, AProcessThatIsKilledLeavesWhatItSentAndThenTheEnd) {
  socket_pair both = new_socket_pair();
  end ours;
  ours.wire = ring_transport(socket_transport(std::move(both.one)));
  ours.wire->allow_shortcut();
  const pid_t child = ::fork();
  if (child == 0) {
    ours.wire.reset();
    end theirs;
    theirs.wire = ring_transport(socket_transport(std::move(both.other)));
    theirs.wire->allow_shortcut();
    theirs.wire->offer_shortcut();
    std::string text;
    for (int i = 0; i < 100; ++i) {
      theirs.send(std::to_string(i));
      if (i < 2) theirs.next(text);
    }
    ::raise(SIGKILL);
  }
  both.other.reset();
  std::string text;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(ours.next(text), what::packet);
    ASSERT_EQ(text, std::to_string(i));
    if (i < 2) {
      ASSERT_EQ(ours.send("on"), send_result::taken);
    }
  }
  EXPECT_EQ(ours.next(text), what::end);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(RingTransport, WhoTakesNothingMoreHasWhatWasTakenFromTheOther) {
  for (int round = 0; round < 100; ++round) {
    pair both;
    both.join();
    std::atomic<int> taken{0};
    std::thread sends([&] {
      const std::string large(20'000, 'x');
      for (int i = 0;; ++i) {
        const send_result how = both.other.send(i % 3 ? "small" : large);
        if (how == send_result::peer_stopped) return;
        if (how == send_result::taken) ++taken;
      }
    });
    std::string text;
    int got = 0;
    while (got < 20) got += both.maker.take(text) == what::packet;
    both.maker.wire->stop_receiving();
    what last;
    while ((last = both.maker.next(text)) == what::packet) ++got;
    EXPECT_EQ(last, what::end);
    sends.join();
    EXPECT_EQ(got, taken.load());
    // The other way still works.
    EXPECT_EQ(both.maker.send("answer"), send_result::taken);
    EXPECT_EQ(both.other.next(text), what::packet);
  }
}

TEST(RingTransport, HangingUpEndsAPatientReaderAtOnce) {
  pair both;
  both.join();
  std::thread waits([&] {
    std::string text;
    EXPECT_EQ(both.maker.next_patiently(text), what::end);
  });
  both.maker.wire->hang_up();
  waits.join();
  std::string text;
  EXPECT_EQ(both.other.next(text), what::end);
}

TEST(RingTransport, T50_AWordOutOfTurnEndsIt) {
  const auto memory = ring_memory::make();
  const int file = memory->borrowed_fd();
  const int not_memory = 0;
  for (int word : {accept, go, bell}) {  // nothing was offered
    by_hand peer;
    peer.say(word);
    EXPECT_EQ(peer.verdict(), what::failed) << word;
  }
  {
    by_hand peer;
    peer.say(offer);
    EXPECT_EQ(peer.verdict(), what::failed);
  }
  {
    by_hand peer;
    peer.say(offer, {&not_memory, 1});
    EXPECT_EQ(peer.verdict(), what::failed);
    EXPECT_EQ(errno, EPROTO);
  }
  {
    by_hand peer;
    peer.say(offer, {&file, 1});
    EXPECT_EQ(peer.verdict(), what::nothing);
    peer.say(offer, {&file, 1});
    EXPECT_EQ(peer.verdict(), what::failed);
  }
  {
    by_hand peer;
    peer.say(offer, {&file, 1});
    peer.say(accept);
    EXPECT_EQ(peer.verdict(), what::failed);
  }
  {
    by_hand peer;
    peer.say(offer, {&file, 1});
    peer.say(go);
    peer.say(go);
    EXPECT_EQ(peer.verdict(), what::failed);
  }
  {
    by_hand peer;
    peer.say(offer, {&file, 1});
    peer.say(go, {&not_memory, 1});
    EXPECT_EQ(peer.verdict(), what::failed);
  }
}

TEST(RingTransport, T43_OnlyTheReaderItselfStops) {
  by_hand peer;
  const auto memory = ring_memory::make();
  const int file = memory->borrowed_fd();
  peer.say(offer, {&file, 1});
  peer.say(go);
  memory->positions(0).written.store(reader_stopped);
  EXPECT_EQ(peer.verdict(), what::failed);
}

TEST(RingTransport, T43_ANoteWithoutAPacketEndsIt) {
  by_hand peer;
  const auto memory = ring_memory::make();
  const int file = memory->borrowed_fd();
  ring_writer writes(*memory, 0);
  peer.say(offer, {&file, 1});
  peer.say(go);
  ASSERT_EQ(writes.room_for_note(), ring_writer::result::done);
  ASSERT_EQ(writes.note(), ring_writer::result::done);
  EXPECT_EQ(peer.verdict(), what::failed);
}

TEST(RingTransport, AWordThatNobodyAgreedToIsAPacketLikeOthers) {
  by_hand peer;
  peer.victim.wire = nullptr;
  socket_pair both = new_socket_pair();
  peer.victim.wire = ring_transport(socket_transport(std::move(both.one)));
  peer.wire = socket_transport(std::move(both.other));
  peer.say(bell);
  EXPECT_EQ(peer.verdict(), what::packet);  // which a channel refuses
}

}  // namespace
}  // namespace openxpc::channel
