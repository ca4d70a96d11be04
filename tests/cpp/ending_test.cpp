// How sessions, listeners and connections end, and what is told then.
#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/mailbox.hpp"
#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/service.h>
#include <xpc/xpc.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "pair.hpp"

using namespace std::chrono_literals;
using xpc_testing::event;
using xpc_testing::mailbox;

/// A service of a unit that ends as soon as it may: by the return of the wait, or (at-once) without
/// any wait.
XPC_TEST_ROLE(unit_that_ends) {
  ::openxpc_check_in();
  if (call.arguments.at(0) == "at-once") {
    ::openxpc_request_termination();
    ::_exit(0);
  }
  std::thread(&::openxpc_request_termination).detach();
  ::openxpc_wait_for_termination();
  ::_exit(0);
}

TEST(CppService, TellsItsUnitThatItStopsBeforeAnythingCanEndIt) {
  const std::string path = xpc_testing::runtime_directory() + "/notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const openxpc::base::fd unit(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(unit.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (int count = 0; count < 10; ++count) {
    for (const char* how : {"at-once", "by-wait"}) {
      auto service = xpc_testing::child::role(
          "unit_that_ends", {.arguments = {how}, .environment = {"NOTIFY_SOCKET=" + path}});
      EXPECT_EQ(service.wait(), xpc_testing::ending{.status = 0});
      std::string told;
      char word[64];
      for (ssize_t got = 0; (got = ::recv(unit.get(), word, sizeof word, MSG_DONTWAIT)) > 0;)
        told += std::string(word, static_cast<std::size_t>(got)) + ";";
      EXPECT_EQ(told, "READY=1;STOPPING=1;") << how << " " << count;
    }
  }
}

// What is left of it, a conversation with its descriptors, is for the harness to see.
TEST(CppSession, AnAnswerThatComesJustWhenItIsAskedForLeavesNothing) {
  pair both({.on_request = echo});
  std::atomic<int> answered{0};
  // Others who look at the session, so that everybody waits for its lock now and then.
  std::atomic<bool> over{false};
  std::thread lookers[2];
  for (std::thread& each : lookers) {
    each = std::thread([&] {
      openxpc_identity_s who{};
      who.size = sizeof who;
      while (!over) ::openxpc_peer_get_identity(both.session.native_handle(), &who);
    });
  }
  constexpr int calls = 5'000;
  for (int count = 0; count < calls; ++count) {
    const int before = answered;
    openxpc_call_t call = ::openxpc_peer_call(both.session.native_handle(),
                                              xpc::dictionary{}.native_handle(), nullptr);
    // Asked for at every moment around that of the answer.
    for (int moment = count * 37 % 8192; moment > 0; --moment)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    ::openxpc_call_then(call, nullptr, &answered,
                        [](void* told, xpc_object_t reply, xpc_rich_error_t error) {
                          EXPECT_NE(reply, nullptr);
                          if (reply) ::xpc_release(reply);
                          if (error) ::xpc_release(error);
                          auto& number = *static_cast<std::atomic<int>*>(told);
                          ++number;
                          number.notify_all();
                        });
    ::openxpc_call_release(call);
    answered.wait(before);
  }
  over = true;
  for (std::thread& each : lookers) each.join();
  EXPECT_EQ(answered, calls);
}

TEST(CppSession, EndsOnceAndLast) {
  mailbox<xpc::failure> ended;
  pair both({.on_request = echo}, {.on_end = [&](const xpc::failure& why) { ended.put(why); }});
  both.session.call({}).wait().value();
  both.session.cancel("enough");
  EXPECT_EQ(ended.take(), xpc::errc::canceled);
  EXPECT_EQ(both.session.call({}).wait().error(), xpc::errc::canceled);
  EXPECT_EQ(both.session.send({}).error(), xpc::errc::canceled);
  both.session.cancel();
  EXPECT_EQ(ended.size(), 0u);
}

// That nothing of it is left is for the harness to see.
TEST(CppListener, AClientThatItHadNotDecidedAboutEndsWithIt) {
  xpc::run_loop service;
  std::optional listener =
      xpc::listener::anonymous({.executor = service.executor(), .on_request = echo}).value();
  auto session = xpc::session::open(listener->make_endpoint()).value();
  auto call = session.call({});
  xpc_testing::wait_until("the service to hear of its client", [&] {
    return ::openxpc_listener_get_session_count(listener->native_handle()) == 1;
  });
  listener.reset();  // the loop has not run
  EXPECT_FALSE(call.wait());
  while (service.poll() > 0) {
  }
}

TEST(CppListener, DestroyedItCallsNoHandlerForWhatHadArrived) {
  xpc::run_loop service;
  std::optional<xpc::listener> listener;
  std::optional<xpc::session> session;
  int handled = 0;
  auto on_request = [&](xpc::request q) {
    if (++handled > 1) return;
    EXPECT_TRUE(session->send({}));
    EXPECT_TRUE(session->send({}));
    session.reset();
    const xpc::peer client = q.sender();
    xpc_testing::wait_until("the client to be gone", [&] { return !client.send({}); });
    listener.reset();
  };
  listener =
      xpc::listener::anonymous({.executor = service.executor(), .on_request = on_request}).value();
  session = xpc::session::open(listener->make_endpoint()).value();
  EXPECT_TRUE(session->send({}));
  xpc_testing::wait_until("the first message", [&] { return service.poll() > 0 && handled > 0; });
  while (service.poll() > 0) {
  }
  EXPECT_EQ(handled, 1);
}

TEST(CppSession, HandlesMayOutliveIt) {
  xpc::peer nobody;
  EXPECT_EQ(nobody.send({}).error(), xpc::errc::canceled);
  EXPECT_EQ(nobody.call({}).wait().error(), xpc::errc::canceled);
  xpc::peer outlives;
  std::optional<xpc::pending<xpc::dictionary>> open_call;
  mailbox<xpc::request> inbox;
  auto listener = xpc::listener::anonymous({.on_request = [&](xpc::request q) {
                    inbox.put(std::move(q));
                  }}).value();
  {
    auto session = xpc::session::open(listener.make_endpoint()).value();
    outlives = session;
    EXPECT_EQ(outlives, session);
    open_call = session.call({});
    inbox.take();
  }
  EXPECT_EQ(outlives.send({}).error(), xpc::errc::canceled);
  EXPECT_FALSE(open_call->wait());
}

TEST(CppSession, DestroyingItWaitsForAHandlerThatRuns) {
  event begun, go;
  std::atomic<bool> ended = false;
  auto listener = xpc::listener::anonymous({.on_request = echo}).value();
  std::optional<xpc::session> session =
      xpc::session::open(listener.make_endpoint(), {.on_message =
                                                        [&](const xpc::dictionary&) {
                                                          begun.set();
                                                          go.wait();
                                                          ended = true;
                                                        }})
          .value();
  mailbox<xpc::peer> client;
  auto other =
      xpc::listener::anonymous({.on_request = [&](xpc::request q) -> xpc::result<xpc::dictionary> {
        client.put(q.sender());
        return {};
      }}).value();
  auto back = xpc::session::open(other.make_endpoint(), {.on_message = [&](const xpc::dictionary&) {
                                   begun.set();
                                   go.wait();
                                   ended = true;
                                 }});
  std::optional<xpc::session> watched = std::move(back).value();
  watched->call({}).wait().value();
  client.take().send({{"n", 1}}).value();
  begun.wait();
  std::thread opener([&] { go.set(); });
  watched.reset();
  EXPECT_TRUE(ended);
  opener.join();
}

TEST(CppSession, MayBeDestroyedInItsOwnHandler) {
  auto listener = xpc::listener::anonymous({.on_request = echo}).value();
  event gone;
  auto held = std::make_shared<std::optional<xpc::session>>();
  *held = xpc::session::open(listener.make_endpoint(), {.on_end =
                                                            [held, &gone](const xpc::failure&) {
                                                              held->reset();
                                                              gone.set();
                                                            }})
              .value();
  (*held)->cancel();
  gone.wait();
}

TEST(CppSession, RunsItsHandlersOnALoopOfTheProgram) {
  xpc::run_loop loop;
  mailbox<std::thread::id> where;
  auto listener =
      xpc::listener::anonymous({.on_request = [](xpc::request q) -> xpc::result<xpc::dictionary> {
        return q.sender().call({}).wait();
      }}).value();
  auto session =
      xpc::session::open(listener.make_endpoint(), {.executor = loop.executor(),
                                                    .on_request =
                                                        [&](const xpc::dictionary&) {
                                                          where.put(std::this_thread::get_id());
                                                          return xpc::dictionary();
                                                        }})
          .value();
  auto asking = [&]() -> xpc::task<> {
    (co_await session.call({})).value();
    where.put(std::this_thread::get_id());
  };
  loop.run(asking()).value();
  EXPECT_EQ(where.take(), std::this_thread::get_id());
  EXPECT_EQ(where.take(), std::this_thread::get_id());
  // Waiting for a call reads on this thread, which is the loop's own.
  auto waiting = [&]() -> xpc::task<bool> {
    co_return xpc::session::open(
        xpc::listener::anonymous({.on_request = echo}).value().make_endpoint())
        .has_value();
  };
  EXPECT_TRUE(loop.run(waiting()).value());
}

TEST(CppSession, OnALoopOfOneThreadItsDestructorWaitsForNothing) {
  xpc::run_loop loop;
  int handled = 0;
  auto listener =
      xpc::listener::anonymous({.on_request = [](xpc::request q) -> xpc::result<xpc::dictionary> {
        for (int i = 0; i < 10; ++i) q.sender().send({{"n", i}}).value();
        return {};
      }}).value();
  std::optional<xpc::session> session =
      xpc::session::open(
          listener.make_endpoint(),
          {.executor = loop.executor(), .on_message = [&](const xpc::dictionary&) { ++handled; }})
          .value();
  session->call({}).wait().value();
  session.reset();
  // What was posted for it meanwhile does nothing any more.
  loop.poll();
  EXPECT_EQ(handled, 0);
}

TEST(CppListener, DecidesWhoIsServedAndHow) {
  mailbox<std::string> refused;
  std::atomic<int> count = 0;
  auto listener = xpc::listener::anonymous(
                      {.on_request = echo,
                       .on_session =
                           [&](xpc::incoming& who) {
                             EXPECT_EQ(who.identity().value().pid(), ::getpid());
                             switch (++count) {
                               case 1:
                                 return who.accept();
                               case 2:
                                 return who.accept({.on_request = [](const xpc::dictionary&) {
                                   return xpc::dictionary{{"special", true}};
                                 }});
                               default:
                                 return who.reject("the house is full");
                             }
                           }})
                      .value();
  auto first = xpc::session::open(listener.make_endpoint()).value();
  EXPECT_EQ(first.call({{"n", 1}}).wait().value(), (xpc::dictionary{{"n", 1}}));
  auto second = xpc::session::open(listener.make_endpoint()).value();
  EXPECT_EQ(second.call({{"n", 1}}).wait().value(), (xpc::dictionary{{"special", true}}));
  auto third = xpc::session::open(listener.make_endpoint()).value();
  auto reply = third.call({{"n", 1}}).wait();
  EXPECT_EQ(reply.error(), xpc::errc::refused) << reply.error().explain();
  EXPECT_NE(reply.error().message().find("the house is full"), std::string_view::npos);
}

TEST(CppListener, ClosingHandlesWhatWasAccepted) {
  event begun, go;
  auto listener =
      xpc::listener::anonymous({.on_request = [&](const xpc::dictionary&) -> xpc::dictionary {
        begun.set();
        go.wait();
        return {{"done", true}};
      }}).value();
  auto session = xpc::session::open(listener.make_endpoint()).value();
  auto call = session.call({});
  begun.wait();
  auto closed = listener.close();
  go.set();
  EXPECT_EQ(call.wait().value(), (xpc::dictionary{{"done", true}}));
  EXPECT_TRUE(closed.wait());
}

TEST(CppListener, DestroyingItEndsItsSessions) {
  mailbox<xpc::failure> ended;
  std::optional<xpc::listener> listener = xpc::listener::anonymous({.on_request = echo}).value();
  auto session = xpc::session::open(listener->make_endpoint(),
                                    {.on_end = [&](const xpc::failure& why) { ended.put(why); }})
                     .value();
  session.call({}).wait().value();
  auto door = listener->make_endpoint();
  listener.reset();
  ended.take();
  auto late = xpc::session::open(door);
  EXPECT_FALSE(late && late->call({}).wait());
}

TEST(CppListener, ANameThatIsNotGivenIsRefusedWithARemedy) {
  auto listener = xpc::listener::open("org.example.not-mine", {.on_request = echo});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error(), xpc::errc::not_found);
  EXPECT_FALSE(listener.error().remedy().empty());
  testing::internal::CaptureStderr();
  EXPECT_NE(xpc::serve("org.example.not-mine", echo), 0);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("try: "), std::string::npos);
}

TEST(CppConnection, OpeningNamesWhatIsMissing) {
  auto nowhere =
      xpc::connection::open("org.example.echo", {.domain = {.directory = "/nonexistent"}});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(), xpc::errc::no_domain);
  EXPECT_NE(nowhere.error().remedy().find("xpcd"), std::string_view::npos);
  auto bad = xpc::session::open("no spaces");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), xpc::errc::invalid_argument);
}
