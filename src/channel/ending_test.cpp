#include "channel/test_support.hpp"

#include <atomic>
#include <thread>

// The end of a channel at the worst moment.
namespace openxpc::channel::testing {
namespace {

/// Once asked to, holds whoever sends inside the send.
class holding_transport final : public transport {
 public:
  struct gate {
    std::atomic<bool> shut{false}, reached{false};
  };
  holding_transport(std::unique_ptr<transport> inner, gate& at) noexcept
      : inner_(std::move(inner)), gate_(at) {}

  int borrowed_fd() const noexcept override { return inner_->borrowed_fd(); }
  std::uint32_t events(bool to_receive, bool to_send) const noexcept override {
    return inner_->events(to_receive, to_send);
  }
  std::size_t packet_most_bytes() const noexcept override { return inner_->packet_most_bytes(); }
  send_result send(std::span<const iovec> parts, std::span<const int> borrowed_fds,
                   bool with_credentials) noexcept override {
    if (gate_.shut) {
      gate_.reached = true;
      gate_.reached.notify_all();
      gate_.shut.wait(true);
    }
    return inner_->send(parts, borrowed_fds, with_credentials);
  }
  received receive(std::span<const iovec> into,
                   std::vector<base::fd>& attachments) noexcept override {
    return inner_->receive(into, attachments);
  }
  std::optional<credentials> peer(base::fd* pidfd) noexcept override { return inner_->peer(pidfd); }
  void want_sender(bool with_credentials, bool pidfd) noexcept override {
    inner_->want_sender(with_credentials, pidfd);
  }
  void stop_receiving() noexcept override { inner_->stop_receiving(); }
  void hang_up() noexcept override { inner_->hang_up(); }

 private:
  std::unique_ptr<transport> inner_;
  gate& gate_;
};

TEST(ChannelEnd, WaitsForWhoeverSendsAndThenGivesTheRoleUp) {
  holding_transport::gate gate;
  conversation pair(wire::loopback, {}, {}, false);
  auto [one, other] = wire_pair(wire::loopback);
  pair.connect({std::make_unique<holding_transport>(std::move(one), gate), std::move(other)});
  recorder& heard = *pair.client.heard;
  ASSERT_EQ(pair.client.call("x"), "re:x");

  gate.shut = true;
  std::thread sender([&] { pair.client.say(kind::message, "held"); });
  gate.reached.wait(false);
  const int before = heard.look([&] { return heard.batches; });
  pair.client.line->cancel("over");
  EXPECT_TRUE(heard.until([&] { return heard.batches > before; }));  // the engine came, and left it
  EXPECT_EQ(heard.look([&] { return heard.closed_count; }), 0);
  const int meanwhile = heard.look([&] { return heard.batches; });

  gate.shut = false;
  gate.shut.notify_all();
  sender.join();
  EXPECT_TRUE(heard.until_closed());
  // What a sink leaves for after its calls would lie there for ever.
  EXPECT_TRUE(heard.until([&] { return heard.batches > meanwhile; }));
}

TEST(ChannelEnd, ABarrierBehindItRuns) {
  conversation pair(wire::loopback);
  std::atomic<bool> in_the_end{false}, behind_it{false};
  ASSERT_EQ(pair.client.call("x"), "re:x");
  // From within the last call, when the sink does not know yet that it is the last.
  pair.client.heard->on_closed = [&] {
    pair.client.line->barrier([&] {
      in_the_end = true;
      in_the_end.notify_all();
    });
  };
  pair.client.line->cancel("over");
  in_the_end.wait(false);
  pair.client.line->barrier([&] {
    behind_it = true;
    behind_it.notify_all();
  });
  behind_it.wait(false);
}

}  // namespace
}  // namespace openxpc::channel::testing
