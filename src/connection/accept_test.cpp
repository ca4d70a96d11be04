#include "base/fd.hpp"
#include "channel/socket/socket_transport.hpp"
#include "connection/conversation.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

namespace openxpc::connection {
namespace {

/// A listener that only counts.
class counter final : public announcer {
 public:
  void greeted(conversation&) override {}
  void announce(conversation&) override {}
  void kick(bool) override {}
  void forget(conversation&) override { ++forgotten; }
  int forgotten = 0;
};

/// The listener stops between taking the client in and talking to it: the client sees a socket that
/// is closed before a word, and looks the name up again.
TEST(Accept, AConversationThatWasStoppedSaysNoHello) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  const base::fd client(pair[0]);
  base::fd accepted(pair[1]);
  auto listener = base::make_ref<counter>();
  conversation::options how;
  how.announced_by = listener;
  auto talk = conversation::make(std::move(how));
  talk->stop();
  EXPECT_EQ(listener->forgotten, 1);
  talk->accept(channel::socket_transport(std::move(accepted)));
  char word = 0;
  EXPECT_EQ(::recv(client.get(), &word, 1, 0), 0);
}

}  // namespace
}  // namespace openxpc::connection
