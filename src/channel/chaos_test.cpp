#include "channel/chaos/chaos_transport.hpp"
#include "channel/test_support.hpp"

#include <gtest/gtest.h>

// Wires that stall, cut and corrupt.
namespace openxpc::channel::testing {
namespace {

class ChannelChaos : public ::testing::TestWithParam<wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, ChannelChaos,
                         ::testing::Values(wire::socket, wire::loopback, wire::ring), name_of_wire);

void connect(conversation& pair, wire which, chaos of_client, chaos of_server = {}) {
  auto wires = wire_pair(which);
  pair.connect({std::make_unique<chaos_transport>(std::move(wires.first), of_client),
                std::make_unique<chaos_transport>(std::move(wires.second), of_server)});
}

TEST_P(ChannelChaos, AWireThatStallsLosesNothingAndKeepsTheOrder) {
  // The first packet of each side is its hello, which nothing may refuse.
  for (chaos how : {chaos{3, 0, 0}, chaos{0, 0, 3}, chaos{4, 9, 5}}) {
    // In process a wire only rings when room comes back after it was really full.
    if (GetParam() == wire::loopback) how.full_every = 0;
    conversation pair(GetParam(), {}, {}, false);
    connect(pair, GetParam(), how, how);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(pair.client.say(kind::message, std::to_string(i)).taken());
      ASSERT_EQ(pair.client.call("c" + std::to_string(i)), "re:c" + std::to_string(i));
    }
    ASSERT_TRUE(pair.server.heard->until_things(200));
    pair.server.heard->look([&] {
      for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_EQ(pair.server.heard->things[2 * i].body, std::to_string(i));
        EXPECT_EQ(pair.server.heard->things[2 * i + 1].body, "c" + std::to_string(i));
      }
      return 0;
    });
  }
}

TEST_P(ChannelChaos, T45_T46_DescriptorsWaitInOrderWhileTooManyAreInFlight) {
  conversation pair(GetParam(), {}, {}, false);
  connect(pair, GetParam(), chaos{0, 4, 0});
  const int fds[1] = {0};
  for (int i = 0; i < 40; ++i) {
    const std::string text = std::to_string(i);
    outgoing out;
    out.body = base::as_bytes(text);
    if (i % 2) out.attachments = fds;
    ASSERT_TRUE(pair.client.line->send(std::move(out)).taken());
  }
  ASSERT_TRUE(pair.server.heard->until_things(40));
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(pair.server.heard->things[i].body, std::to_string(i));
    EXPECT_EQ(pair.server.heard->things[i].attachments, i % 2);
  }
}

TEST_P(ChannelChaos, ACutFailsEveryCallExactlyOnceWithItsFate) {
  for (unsigned after = 1; after < 12; ++after) {
    conversation pair(GetParam(), {}, {}, false);
    pair.client.heard->on_not_opened = [&](const closing&) { pair.client.line->cancel("no"); };
    connect(pair, GetParam(), chaos{0, 0, 0, after});
    std::vector<base::ref<pending_call>> calls;
    std::size_t taken = 0;
    for (int i = 0; i < 20; ++i) {
      calls.push_back(base::make_ref<pending_call>());
      if (!pair.client.ask(std::to_string(i), calls.back()).taken()) break;
      ++taken;
      // Two are under way at a time, so that the cut finds some in each stage.
      if (i > 0) pair.client.line->wait(calls[static_cast<std::size_t>(i) - 1]->who, soon());
    }
    ASSERT_TRUE(pair.client.heard->until_closed()) << "cut after " << after;
    std::size_t answered = 0, lost = 0;
    for (auto& each : calls) {
      EXPECT_FALSE(each->answered && each->lost);
      answered += each->answered;
      lost += each->lost.has_value();
    }
    EXPECT_EQ(answered + lost, taken) << after;
  }
}

TEST_P(ChannelChaos, T50_ATurnedBitEndsTheConnectionOrOneMessageAndNothingElse) {
  for (std::size_t byte = 0; byte < 40; ++byte) {
    conversation pair(GetParam(), {}, {}, false);
    pair.client.heard->on_not_opened = [&](const closing&) { pair.client.line->cancel("no"); };
    chaos how;
    how.corrupt_at = 3;
    how.corrupt_byte = byte;
    connect(pair, GetParam(), how);
    pair.client.call("first");
    // Turned bits of the id make an answer to nobody; then the caller's own deadline helps.
    pair.client.call("second, turned", soon(std::chrono::milliseconds(50)));
    pair.client.call("third", soon(std::chrono::milliseconds(50)));
  }
}

}  // namespace
}  // namespace openxpc::channel::testing
