// Sessions and their handlers, in one process.
#include "support/mailbox.hpp"

#include <xpc/xpc.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "pair.hpp"

using namespace std::chrono_literals;
using xpc_testing::event;
using xpc_testing::mailbox;

namespace {

/// What a request handler of some form answers to {"n": 20}.
xpc::result<int> answer_of(xpc::request_handler handler) {
  pair both({.on_request = std::move(handler)});
  auto reply = both.session.call({{"n", 20}}).wait();
  if (!reply) return reply.error();
  return reply->get<std::optional<int>>("n").value().value_or(-1);
}

xpc::task<xpc::dictionary> later(const xpc::dictionary& q) {
  (co_await xpc::this_task::sleep(1ms)).value();
  co_return {{"n", q.get<int>("n").value() + 1}};
}

}  // namespace

TEST(CppSession, CallsAndReadsTheReply) {
  pair both({.on_request = divide});
  EXPECT_EQ(both.session.call({{"a", 6}, {"b", 3}}).wait().value(),
            (xpc::dictionary{{"quotient", 2.0}}));
}

TEST(CppSession, ReadsTheServicesOwnErrorAndWhatItMisread) {
  pair both({.on_request = divide});
  auto zero = both.session.call({{"a", 1}, {"b", 0}}).wait();
  EXPECT_EQ(zero.error(), xpc::errc::remote);
  EXPECT_EQ(zero.error().domain(), "org.example.calculator");
  EXPECT_EQ(zero.error().number(), 1);
  EXPECT_EQ(zero.error().message(), "division by zero");
  auto wrong = both.session.call({{"a", "six"}, {"b", 3}}).wait();
  EXPECT_EQ(wrong.error(), xpc::errc::wrong_type);
  EXPECT_EQ(wrong.error().message(), "a: expected double, found string");
}

TEST(CppSession, HandlersTakeAndReturnWhatThePageSays) {
  using d = xpc::dictionary;
  EXPECT_EQ(answer_of(echo).value(), 20);
  EXPECT_EQ(answer_of([](const d&) {}).value(), -1);
  EXPECT_EQ(answer_of([](const d&) -> xpc::result<void> { return {}; }).value(), -1);
  EXPECT_EQ(answer_of([](const d&) -> xpc::result<void> { return xpc::failure("no"); }).error(),
            xpc::errc::remote);
  EXPECT_EQ(answer_of([](const d& q) -> xpc::result<d> { return q; }).value(), 20);
  EXPECT_EQ(answer_of(later).value(), 21);
  EXPECT_EQ(answer_of([](const d&) -> xpc::task<> { co_return; }).value(), -1);
  EXPECT_EQ(answer_of([](xpc::request q) { return q.body(); }).value(), 20);
  EXPECT_EQ(answer_of([](xpc::request q) -> xpc::result<d> {
              return {{"n", q.get<int>("n").value() * 2}};
            }).value(),
            40);
  EXPECT_EQ(answer_of([](xpc::request q) { std::move(q).reply({{"n", 1}}); }).value(), 1);
  EXPECT_EQ(answer_of([](xpc::request q) {
              std::move(q).fail(xpc::failure(xpc::errc::denied, "x"));
            }).error(),
            xpc::errc::denied);
  EXPECT_EQ(answer_of([](xpc::request) {}).error(), xpc::errc::no_reply);
  EXPECT_EQ(answer_of([](xpc::request q) -> xpc::task<> {
              (co_await xpc::this_task::sleep(1ms)).value();
              std::move(q).reply({{"n", 3}});
            }).value(),
            3);
  EXPECT_EQ(answer_of([](xpc::request) -> xpc::task<> { co_return; }).error(), xpc::errc::no_reply);
  EXPECT_EQ(answer_of([](xpc::request q) -> xpc::task<d> {
              (co_await xpc::this_task::sleep(1ms)).value();
              co_return {{"n", q.get<int>("n").value() + 5}};
            }).value(),
            25);
  EXPECT_EQ(answer_of([](const d& q) -> xpc::task<d> {
              q.get<bool>("n").value();
              co_return {};
            }).error(),
            xpc::errc::wrong_type);
  EXPECT_EQ(answer_of({}).error(), xpc::errc::unknown_method);
}

TEST(CppSession, ARequestMayBeAnsweredLaterAndElsewhere) {
  mailbox<xpc::request> inbox;
  pair both({.on_request = [&](xpc::request q) { inbox.put(std::move(q)); }});
  auto call = both.session.call({{"n", 1}});
  auto request = inbox.take();
  EXPECT_TRUE(request.expects_reply());
  EXPECT_FALSE(call.ready());
  std::thread([&] { std::move(request).reply({{"n", 2}}); }).join();
  EXPECT_EQ(call.wait().value().get<int>("n").value(), 2);
}

TEST(CppSession, TheCallableOfACoroutineLivesUntilItHasEnded) {
  auto watched = std::make_shared<int>(7);
  std::weak_ptr<int> alive = watched;
  mailbox<xpc::result<xpc::dictionary>> outcome;
  {
    pair both({.on_request = [watched = std::move(watched)](
                                 const xpc::dictionary& q) -> xpc::task<xpc::dictionary> {
      (co_await xpc::this_task::sleep(20ms)).value();
      co_return {{"sum", *watched + q.get<int>("n").value()}};
    }});
    both.session.call({{"n", 1}}).then([&](xpc::result<xpc::dictionary> how) {
      outcome.put(std::move(how));
    });
    EXPECT_EQ(outcome.take().value().get<int>("sum").value(), 8);
    EXPECT_FALSE(alive.expired());
    both.session.close().wait().value();
    both.listener.close().wait().value();
  }
  xpc_testing::wait_until("the handler is gone", [&] { return alive.expired(); });
}

TEST(CppSession, TimesOutAndTellsTheService) {
  mailbox<xpc::request> inbox;
  event told;
  pair both({.on_request = [&](xpc::request q) { inbox.put(std::move(q)); }});
  auto reply = both.session.call({{"n", 1}}, {.timeout = 30ms}).wait();
  EXPECT_EQ(reply.error(), xpc::errc::timed_out);
  EXPECT_TRUE(reply.error().can_retry());
  auto request = inbox.take();
  std::stop_callback watch(request.stop_token(), [&] { told.set(); });
  told.wait();
}

TEST(CppSession, ACallHasTheSessionsTimeoutUnlessItGivesOne) {
  mailbox<xpc::request> inbox;
  pair both({.on_request = [&](xpc::request q) { inbox.put(std::move(q)); }}, {.call_timeout = 1h});
  auto call = both.session.call({});
  auto left = inbox.take().deadline() - std::chrono::steady_clock::now();
  EXPECT_GT(left, 59min);
  EXPECT_LE(left, 1h);
  auto endless = both.session.call({}, {.timeout = xpc::no_timeout});
  EXPECT_EQ(inbox.take().deadline(), std::chrono::steady_clock::time_point::max());
  EXPECT_EQ(call.wait().error(), xpc::errc::no_reply);
  EXPECT_EQ(endless.wait().error(), xpc::errc::no_reply);
}

TEST(CppSession, AStopTokenReachesTheServiceAsACancellation) {
  event begun, told;
  pair both({.on_request = [&](const xpc::dictionary&) -> xpc::task<xpc::dictionary> {
    begun.set();
    auto slept = co_await xpc::this_task::sleep(24h);
    EXPECT_EQ(slept.error(), xpc::errc::canceled);
    told.set();
    co_return {};
  }});
  std::stop_source user;
  auto slow = both.session.call({{"n", 1}}, {.stop = user.get_token(), .timeout = xpc::no_timeout});
  begun.wait();
  user.request_stop();
  EXPECT_EQ(slow.wait().error(), xpc::errc::canceled);
  told.wait();
  // One that was requested before, and one on its way to a callback. Nobody waits for these
  // handlers to hear of it, so they use nothing of this test.
  pair idle({.on_request = [](const xpc::dictionary&) -> xpc::task<> {
    (void)co_await xpc::this_task::sleep(24h);
  }});
  EXPECT_EQ(idle.session.call({}, {.stop = user.get_token()}).wait().error(), xpc::errc::canceled);
  std::stop_source other;
  mailbox<xpc::errc> outcome;
  idle.session.call({}, {.stop = other.get_token()}).then([&](xpc::result<xpc::dictionary> how) {
    outcome.put(how.error().code());
  });
  other.request_stop();
  EXPECT_EQ(outcome.take(), xpc::errc::canceled);
}

TEST(CppSession, ThrowingACallAwayCancelsIt) {
  mailbox<xpc::request> inbox;
  event told;
  pair both({.on_request = [&](xpc::request q) { inbox.put(std::move(q)); }});
  std::optional<xpc::pending<xpc::dictionary>> call = both.session.call({{"n", 1}});
  auto request = inbox.take();
  call.reset();
  std::stop_callback watch(request.stop_token(), [&] { told.set(); });
  told.wait();
}

TEST(CppSession, ReportsProgress) {
  mailbox<std::string> reports;
  event go;
  pair both({.on_request = [&](xpc::request q) -> xpc::result<xpc::dictionary> {
    q.report_progress(3, 10, "lines");
    go.wait();
    return {};
  }});
  auto call = both.session.call(
      {}, {.on_progress = [&](std::uint64_t done, std::uint64_t total, std::string_view what) {
        reports.put(std::to_string(done) + "/" + std::to_string(total) + " " + std::string(what));
      }});
  EXPECT_EQ(reports.take(), "3/10 lines");
  go.set();
  EXPECT_TRUE(call.wait());
}

TEST(CppSession, SendsWithoutReply) {
  mailbox<xpc::dictionary> inbox;
  pair both({.on_message = [&](const xpc::dictionary& message) { inbox.put(message); },
             .on_request = echo});
  EXPECT_TRUE(both.session.send({{"n", 1}}));
  EXPECT_TRUE(both.session.send_when_ready({{"n", 2}}).wait());
  EXPECT_EQ(inbox.take().get<int>("n").value(), 1);
  EXPECT_EQ(inbox.take().get<int>("n").value(), 2);
  EXPECT_TRUE(both.session.flush().wait());
  EXPECT_EQ(both.session.call({{"n", 3}}).wait().value().get<int>("n").value(), 3);
}

TEST(CppSession, AMessageGoesToOnRequestWhereThereIsNoOnMessage) {
  mailbox<bool> expects;
  pair both({.on_request = [&](xpc::request q) -> xpc::result<xpc::dictionary> {
    expects.put(q.expects_reply());
    return {};
  }});
  both.session.send({}).value();
  both.session.call({}).wait().value();
  EXPECT_FALSE(expects.take());
  EXPECT_TRUE(expects.take());
}

TEST(CppSession, ItsUnsentLimitIsTold) {
  event go;
  pair both({.on_request = [&](xpc::request) { go.wait(); }},
            {.limits = {.unsent_bytes = 256 << 10}});
  std::vector<std::byte> much(64 << 10);
  xpc::result<void> sent;
  for (int i = 0; i < 1000 && sent; ++i) sent = both.session.send({{"data", much}});
  EXPECT_EQ(sent.error(), xpc::errc::would_block);
  // What is on its way makes room once more or twice, until the service's credit is used up.
  auto room = both.session.send_when_ready({{"data", much}});
  for (int i = 0; i < 1000 && room.ready(); ++i)
    room = both.session.send_when_ready({{"data", much}});
  EXPECT_FALSE(room.ready());
  go.set();
  EXPECT_TRUE(room.wait());
}

TEST(CppSession, TalksBothWays) {
  pair both({.on_request = [](xpc::request q) -> xpc::task<xpc::dictionary> {
              auto sure = co_await q.sender().call({{"ask", "Really?"}});
              co_return {{"was", sure.value().get<std::string>("answer").value()}};
            }},
            {.on_request = [](const xpc::dictionary& q) -> xpc::result<xpc::dictionary> {
              return {{"answer", q.get<std::string>("ask").value() + " Yes."}};
            }});
  EXPECT_EQ(both.session.call({}).wait().value().get<std::string>("was").value(), "Really? Yes.");
}

TEST(CppSession, AHandlerMayWaitOnItsOwnConversation) {
  pair both({.on_request = [](xpc::request q) -> xpc::result<xpc::dictionary> {
              return q.sender().call({{"n", 5}}).wait();
            }},
            {.on_request = echo});
  EXPECT_EQ(both.session.call({}).wait().value().get<int>("n").value(), 5);
}

TEST(CppSession, PassesDescriptorsAndData) {
  pair both({.on_request = [](xpc::request q) -> xpc::result<xpc::dictionary> {
    auto file = q.get<xpc::fd>("file").value();
    auto bytes = q.get<std::span<const std::byte>>("data").value();
    if (::write(file.get(), bytes.data(), bytes.size()) < 0)
      return xpc::failure(std::error_code(errno, std::generic_category()));
    return {{"size", bytes.size()}};
  }});
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  xpc::fd reading(ends[0]), writing(ends[1]);
  auto block = xpc::data_builder::create(5).value();
  std::fill(block.bytes().begin(), block.bytes().end(), std::byte{'x'});
  auto reply = both.session.call({{"file", writing}, {"data", std::move(block).finish(3)}}).wait();
  EXPECT_EQ(reply.value().get<int>("size").value(), 3);
  char text[8]{};
  EXPECT_EQ(::read(reading.get(), text, sizeof text), 3);
  EXPECT_STREQ(text, "xxx");
}

TEST(CppSession, AnEndpointTravels) {
  auto door = xpc::listener::anonymous({.on_request = echo}).value();
  pair lobby({.on_request = [&](const xpc::dictionary&) {
    return xpc::dictionary{{"endpoint", door.make_endpoint()}};
  }});
  auto found = lobby.session.call({}).wait().value().get<xpc::endpoint>("endpoint").value();
  EXPECT_EQ(found, door.make_endpoint());
  EXPECT_NE(found, lobby.listener.make_endpoint());
  auto straight = xpc::session::open(found).value();
  EXPECT_EQ(straight.call({{"move", "e4"}}).wait().value(), (xpc::dictionary{{"move", "e4"}}));
}

TEST(CppSession, KnowsWhoIsThere) {
  mailbox<xpc::peer_identity> seen;
  pair both({.on_request = [&](xpc::request q) -> xpc::result<xpc::dictionary> {
    seen.put(q.identity().value());
    return {};
  }});
  both.session.call({}).wait().value();
  auto client = seen.take();
  auto service = both.session.identity().value();
  EXPECT_EQ(client.pid(), ::getpid());
  EXPECT_EQ(client.uid(), ::geteuid());
  EXPECT_EQ(service.gid(), ::getegid());
  EXPECT_EQ(service.describe(), "pid " + std::to_string(::getpid()) + ", uid " +
                                    std::to_string(::geteuid()) + ", gid " +
                                    std::to_string(::getegid()));
  auto pidfd = service.pidfd();
  EXPECT_TRUE(pidfd || pidfd.error() == xpc::errc::unsupported);
  EXPECT_EQ(service, both.session.identity().value());
  xpc::peer gone = both.session;
  both.session.cancel();
  EXPECT_EQ(service.pidfd().error(), xpc::errc::interrupted);
  EXPECT_FALSE(gone.identity());
}

TEST(CppSession, AFaultOfAHandlerIsToldAndServiceGoesOn) {
  mailbox<std::string> faults;
  pair both({.on_fault =
                 [&](std::exception_ptr what) {
                   try {
                     std::rethrow_exception(what);
                   } catch (const std::exception& thrown) {
                     faults.put(thrown.what());
                   }
                 },
             .on_request = [](const xpc::dictionary& q) -> xpc::result<xpc::dictionary> {
               if (q.contains("bad")) throw std::runtime_error("oops");
               return q;
             }});
  EXPECT_EQ(both.session.call({{"bad", 1}}).wait().error(), xpc::errc::service_failed);
  EXPECT_EQ(faults.take(), "oops");
  EXPECT_TRUE(both.session.call({{"n", 1}}).wait());
}

TEST(CppSession, AFaultOfACoroutineIsToldToo) {
  event told;
  pair both({.on_fault = [&](std::exception_ptr) { told.set(); },
             .on_request = [](const xpc::dictionary&) -> xpc::task<xpc::dictionary> {
               (co_await xpc::this_task::sleep(1ms)).value();
               throw std::runtime_error("oops");
             }});
  EXPECT_EQ(both.session.call({}).wait().error(), xpc::errc::service_failed);
  told.wait();
}

TEST(CppSessionDeathTest, AFaultThatNobodyTakesEndsTheProcess) {
  EXPECT_DEATH(
      {
        pair both({.on_request = [](const xpc::dictionary&) -> xpc::dictionary {
          throw std::runtime_error("oops");
        }});
        (void)both.session.call({}).wait();
      },
      "oops");
}

TEST(CppSessionDeathTest, ASecondAnswerIsMisuse) {
  EXPECT_DEATH(
      {
        pair both({.on_request = [](xpc::request q) -> xpc::dictionary {
          std::move(q).reply({});
          return {};
        }});
        (void)both.session.call({}).wait();
        (void)both.session.call({}).wait();
      },
      "answered its request and then returned another answer");
}
