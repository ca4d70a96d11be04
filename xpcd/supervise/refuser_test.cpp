#include "supervise/refuser.hpp"

#include "domain/directory.hpp"
#include "support/resources.hpp"

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/service.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <future>

namespace openxpc::supervise {
namespace {

/// What a waiting client reads: the words of one refusal packet (channel protocol, section 1), then
/// the end.
struct refusal {
  std::uint32_t code = 0, flags = 0;
  std::string text;
};

refusal read_refusal(const base::fd& client) {
  std::string packet(8192, '\0');
  ::fcntl(client.get(), F_SETFL, 0);
  const ssize_t got = ::recv(client.get(), packet.data(), packet.size(), 0);
  refusal result;
  if (got < 24) return result;
  std::uint32_t length = 0;
  std::memcpy(&length, packet.data(), 4);
  std::memcpy(&result.code, packet.data() + 16, 4);
  std::memcpy(&result.flags, packet.data() + 20, 4);
  result.text = packet.substr(24, length - 8);
  EXPECT_EQ(packet[4], 1) << "kind";
  EXPECT_EQ(::recv(client.get(), packet.data(), packet.size(), 0), 0) << "nothing follows";
  return result;
}

class Refuser : public ::testing::Test {
 protected:
  Refuser() : domain(directory::open(xpc_testing::runtime_directory() + "/domain", false)) {}
  using directory = openxpc::domain::directory;
  outcome<directory> domain;
  refuser::order order_for(const base::fd& listener) {
    refuser::order order;
    order.listener = base::fd::copy(listener.get());
    order.code = OPENXPC_ERROR_LAUNCH_FAILED;
    order.text = "it keeps dying";
    return order;
  }
};

TEST_F(Refuser, TellsEveryWaitingClientTheReasonAndLeavesTheSocketOpen) {
  outcome<openxpc::domain::bound_name> name = domain->publish("name");
  ASSERT_TRUE(name);
  base::fd first = domain->connect("name"), second = domain->connect("name");
  EXPECT_EQ(refuse_waiting(order_for(name->socket)), 2u);
  for (const base::fd* client : {&first, &second}) {
    refusal told = read_refusal(*client);
    EXPECT_NE(told.code, 0u);
    EXPECT_EQ(told.flags, 0u);
    EXPECT_EQ(told.text, "it keeps dying");
  }
  EXPECT_TRUE(domain->connect("name"));
  EXPECT_EQ(refuse_waiting(order_for(name->socket)), 1u);
}

TEST_F(Refuser, ASocketThatIsClosedForGoodTakesNobodyWhoeverHoldsIt) {
  outcome<openxpc::domain::bound_name> old = domain->publish("name");
  ASSERT_TRUE(old);
  base::fd held_by_leftover = base::fd::copy(old->socket.get());
  base::fd early = domain->connect("name");
  refuser::order order = order_for(old->socket);
  order.flags = OPENXPC_REFUSAL_MAY_RETRY | OPENXPC_REFUSAL_MOVED;
  order.close_for_good = true;
  EXPECT_EQ(refuse_waiting(order), 1u);
  EXPECT_EQ(read_refusal(early).flags, 3u);
  EXPECT_FALSE(domain->connect("name"));
  EXPECT_EQ(errno, ECONNREFUSED);
}

TEST_F(Refuser, AServiceThatClearedNonBlockingDoesNotHoldItUp) {
  outcome<openxpc::domain::bound_name> name = domain->publish("name");
  ASSERT_TRUE(name);
  ASSERT_EQ(::fcntl(name->socket.get(), F_SETFL, 0), 0);
  EXPECT_EQ(refuse_waiting(order_for(name->socket)), 0u);
}

TEST_F(Refuser, WorksOnAThreadOfItsOwnAndSaysWhenItIsDone) {
  outcome<openxpc::domain::bound_name> name = domain->publish("name");
  ASSERT_TRUE(name);
  base::fd client = domain->connect("name");
  refuser worker;
  std::promise<void> finished;
  refuser::order order = order_for(name->socket);
  order.done = [&finished] { finished.set_value(); };
  worker.take(std::move(order));
  finished.get_future().wait();
  EXPECT_EQ(read_refusal(client).text, "it keeps dying");
}

}  // namespace
}  // namespace openxpc::supervise
