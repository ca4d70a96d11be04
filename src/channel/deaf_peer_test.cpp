#include "channel/channel.hpp"
#include "channel/test_support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

// A peer that asks and takes no answer is cut off in the end.
namespace openxpc::channel::testing {
namespace {

/// A service that answers everything with so many bytes, and a peer of it that asks and reads
/// nothing.
class DeafPeer : public ::testing::TestWithParam<wire> {
 protected:
  void begin(settings limits, std::size_t answer_bytes) {
    server.line = channel::make(side::accepting, std::move(limits), server.heard);
    server.heard->line = server.line;
    server.heard->on_arrival = [answer_bytes](recorder& at, arrival& what) {
      const std::string answer(answer_bytes, 'a');
      outgoing out;
      out.what = kind::reply;
      out.id = what.id;
      out.body = base::as_bytes(answer);
      at.line->send(std::move(out));
    };
    server.line->attach(std::move(wires.second));
    base::buffer hello = hello_packet({}, side::connecting, nullptr);
    iovec whole{hello.data(), hello.size()};
    ASSERT_EQ(wires.first->send({&whole, 1}, {}, true), send_result::taken);
  }
  void ask(std::uint64_t times) {
    for (std::uint64_t id = 1; id <= times; ++id) {
      std::byte head[frame_head_most_bytes];
      const iovec whole = {head, write_head(head, kind::request, false, 0, id, {}, 0)};
      while (wires.first->send({&whole, 1}, {}, false) == send_result::full)
        std::this_thread::yield();
    }
  }
  void expect_cut_off() {
    ASSERT_TRUE(server.heard->until_closed());
    EXPECT_EQ(server.heard->end.why, closing::reason::not_taken);
    server.heard->line = nullptr;
  }

  party server;
  std::pair<std::unique_ptr<transport>, std::unique_ptr<transport>> wires = wire_pair(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Wires, DeafPeer,
                         ::testing::Values(wire::socket, wire::loopback, wire::ring), name_of_wire);

TEST_P(DeafPeer, T48_AnswersBeyondTheLimitCutItOff) {
  settings limits;
  limits.unsent_bytes = 100'000;
  limits.not_taken_after = std::chrono::milliseconds(30);
  begin(limits, 60'000);
  ask(40);
  expect_cut_off();
}

TEST_P(DeafPeer, T48_APlannedStopEndsAlthoughItsLastWordsAreNotRead) {
  settings limits;
  limits.not_taken_after = std::chrono::milliseconds(30);
  begin(limits, 600'000);
  ask(4);
  ASSERT_TRUE(server.heard->until_things(4));
  server.line->stop();
  ASSERT_TRUE(server.heard->until([&] { return server.heard->drained_count == 1; }));
  server.line->close("stopping");
  expect_cut_off();
}

}  // namespace
}  // namespace openxpc::channel::testing
