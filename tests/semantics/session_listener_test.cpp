// Listeners of the session API and rich errors, rules 145 to 152.
#include <xpc/openxpc/listener.h>

#include <gtest/gtest.h>

#include "a_session.hpp"

using namespace semantics;
using talk::kept;

namespace {

enum mode : std::int64_t { accepts, rejects, cancels, decides_nothing };

}  // namespace

TEST(Semantics, R145_AListenerOfANameThatIsNotOursIsNullAndARichError) {
  made_block<void(xpc_session_t)> incoming([](xpc_session_t) {});
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_listener_create("org.example.not-ours", nullptr, XPC_LISTENER_CREATE_NONE,
                                incoming.get(), &error),
            nullptr);
  owned why(error);
  EXPECT_EQ(xpc_get_type(why), XPC_TYPE_RICH_ERROR);
  EXPECT_NE(text_of(why).find("org.example.not-ours"), std::string::npos) << text_of(why);
  EXPECT_EQ(xpc_listener_create("org.example.not-ours", nullptr, XPC_LISTENER_CREATE_INACTIVE,
                                incoming.get(), nullptr),
            nullptr);
}

TEST(SemanticsDeathTest, R145_AListenerNeedsAnIncomingSessionHandler) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      owned(xpc_listener_create("org.example.not-ours", nullptr, XPC_LISTENER_CREATE_NONE,
                                no_object<xpc_listener_incoming_session_handler_t>(), nullptr)),
      "XPC API Misuse: xpc_listener_create: incoming_session_handler is NULL");
}

TEST_P(HandedSockets, R145_AnInactiveListenerListensOnceItIsActivatedAndTwiceIsMisuse) {
  auto program = xpc_testing::child::role("inactive_listener", with_socket());
  program.expect_line("before: 0");
  program.expect_line("activated: 1");
  program.expect_line("answer: 2");
  program.write_line("go on");
  EXPECT_NE(program.wait().signal, 0);
  EXPECT_NE(program.error_text().find("XPC API Misuse: xpc_listener_activate: the listener is "
                                      "active already"),
            std::string::npos)
      << program.error_text();
}

TEST_P(HandedSockets, R150_ReleasingAnInactiveListenerIsMisuse) {
  auto program = xpc_testing::child::role("releases_an_inactive_listener", with_socket());
  program.expect_line("released the cancelled one");
  EXPECT_NE(program.wait().signal, 0);
  EXPECT_NE(program.error_text().find("XPC API Misuse: xpc_release: release of the last reference "
                                      "to an inactive listener"),
            std::string::npos)
      << program.error_text();
}

TEST_P(SessionServices, R146_APeerIsAcceptedAndActivatedWhenTheIncomingHandlerReturns) {
  a_session s(service_name);
  EXPECT_EQ(s.add(1), 2);
  EXPECT_EQ(s.send(order("say", 7)), nullptr);
  EXPECT_EQ(talk::number_in(s.messages.take().get()), 7);
  a_session another(service_name);
  EXPECT_EQ(xpc_dictionary_get_int64(another.ask("count"), "sessions"), 2);
  // A connection may talk to it as well.
  client c(connection());
  EXPECT_EQ(c.add(1), 2);
}

TEST_P(SessionServices, R146_APeerThatWasCancelledIsNotActivated) {
  a_session first(service_name);
  first.ask("mode", cancels);
  a_session s(service_name);
  EXPECT_EQ(s.add(1), -1);
  EXPECT_EQ(xpc_get_type(s.endings.take().get()), XPC_TYPE_RICH_ERROR);
  EXPECT_EQ(first.add(1), 2);
}

// The end of such a client used to be handled by nobody, and its listener waited for it for ever.
TEST(Semantics, R146_AClientThatIsGoneBeforeItIsAcceptedIsHeardAndLetGo) {
  struct scene {
    xpc_testing::mailbox<std::int64_t> heard;
    xpc_testing::event ended, closed;
  } here;
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.context = &here;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.context = &here;
  options.on_session = [](void*, xpc_session_t session, openxpc_conversation_options_s*, char*,
                          size_t) {
    xpc_testing::wait_until("the client to go", [&] { return openxpc_peer_is_over(session); });
    return OPENXPC_ACCEPT;
  };
  options.conversation.handlers.on_message = [](void* context, openxpc_request_t message) {
    static_cast<scene*>(context)->heard.put(talk::number_in(openxpc_request_get_message(message)));
    openxpc_request_release(message);
  };
  options.conversation.handlers.on_end = [](void* context, xpc_rich_error_t) {
    static_cast<scene*>(context)->ended.set();
  };
  xpc_listener_t listener = openxpc_listener_open_anonymous(&options, nullptr);
  ASSERT_NE(listener, nullptr);
  owned endpoint(openxpc_listener_create_endpoint(listener));
  xpc_session_t s = openxpc_session_open_endpoint(
      static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)), nullptr, nullptr);
  EXPECT_EQ(openxpc_peer_send(s, owned(talk::number(7))), nullptr);
  openxpc_peer_close(s, nullptr, nullptr);  // what is queued leaves first
  EXPECT_EQ(here.heard.take(), 7);
  here.ended.wait();
  openxpc_listener_close(listener, &here,
                         [](void* context) { static_cast<scene*>(context)->closed.set(); });
  here.closed.wait();
  openxpc_listener_wait_for_handlers(listener);
  xpc_release(listener);
  openxpc_peer_wait_for_handlers(s);
  xpc_release(s);
}

TEST_P(SessionServices, R147_AnIncomingHandlerThatDecidesNothingIsMisuse) {
  a_session first(service_name);
  first.ask("mode", decides_nothing);
  a_session s(service_name);
  EXPECT_EQ(s.add(1), -1);
  first.endings.take();
  expect_service_death(
      "XPC API Misuse: xpc_listener_create: the incoming-session handler returned without");
}

TEST_P(SessionServices, R148_ARejectedClientHearsTheReason) {
  a_session first(service_name);
  first.ask("mode", rejects);
  a_session s(service_name);
  owned why;
  EXPECT_EQ(s.ask(owned(talk::number(1)), &why), nullptr);
  EXPECT_EQ(text_of(why), "not today");
  EXPECT_EQ(text_of(s.endings.take().get()), "not today");
  EXPECT_EQ(first.add(1), 2);
}

TEST_P(SessionServices, R148_RejectingWhatWasNotJustHandedToTheHandlerIsMisuse) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  a_session s(service_name);
  EXPECT_DEATH(xpc_listener_reject_peer(s, "no"),
               "XPC API Misuse: xpc_listener_reject_peer: only the incoming-session handler");
}

TEST_P(SessionServices, R149_ClientsOfACancelledListenerWaitAndDoNotFail) {
  a_session first(service_name);
  const auto pid = static_cast<pid_t>(xpc_dictionary_get_int64(first.ask("close"), "pid"));
  a_session s(service_name);
  outcomes replies;
  s.ask_later(owned(talk::number(1)), replies);
  EXPECT_EQ(first.add(1), 2);  // whoever was accepted is served
  EXPECT_EQ(replies.size(), 0u);
  EXPECT_EQ(s.endings.size(), 0u);
  lose_process(pid);  // whoever listens next takes them
  EXPECT_EQ(talk::number_in(replies.take().reply.get()), 2);
}

// Anonymous listeners of sessions: here in openxpc.h, for every language.
TEST(Semantics, R151_AnonymousSessionListenersAndTheirEndpointsExist) {
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = [](void*, openxpc_request_t request) {
    owned reply(talk::number(talk::number_in(openxpc_request_get_message(request)) + 1));
    openxpc_request_reply(request, reply);
  };
  xpc_rich_error_t error = nullptr;
  xpc_listener_t listener = openxpc_listener_open_anonymous(&options, &error);
  ASSERT_NE(listener, nullptr) << text_of(owned(error));
  EXPECT_EQ(xpc_get_type(listener), XPC_TYPE_LISTENER);
  owned endpoint(openxpc_listener_create_endpoint(listener));
  EXPECT_EQ(xpc_get_type(endpoint), XPC_TYPE_ENDPOINT);
  xpc_session_t s = openxpc_session_open_endpoint(
      static_cast<xpc_endpoint_t>(static_cast<xpc_object_t>(endpoint)), nullptr, nullptr);
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(xpc_get_type(s), XPC_TYPE_SESSION);
  owned reply(xpc_session_send_message_with_reply_sync(s, owned(talk::number(1)), nullptr));
  EXPECT_EQ(talk::number_in(reply), 2);
  xpc_session_cancel(s);
  openxpc_peer_wait_for_handlers(s);
  xpc_release(s);
  openxpc_listener_cancel(listener);
  openxpc_listener_wait_for_handlers(listener);
  xpc_release(listener);
}

TEST_P(SessionServices, R152_RepeatingMayHelpWhereThePeerDiedAndNowhereElse) {
  auto retry = [](xpc_object_t error) {
    EXPECT_EQ(xpc_get_type(error), XPC_TYPE_RICH_ERROR);
    return xpc_rich_error_can_retry(static_cast<xpc_rich_error_t>(error));
  };
  owned why;
  {
    a_session s(service_name);
    const auto pid = static_cast<pid_t>(xpc_dictionary_get_int64(s.ask("count"), "pid"));
    lose_process(pid);
    EXPECT_TRUE(retry(s.endings.take().get()));
  }
  {
    a_session again(service_name);  // and it does help
    EXPECT_EQ(again.add(1), 2);
    again.ask("mode", rejects);
  }
  {
    a_session rejected(service_name);
    rejected.ask(owned(talk::number(1)), &why);
    EXPECT_FALSE(retry(why));
  }
  {
    a_session s(service_name);
    xpc_session_cancel(s);
    EXPECT_FALSE(retry(s.endings.take().get()));
    why = s.send(owned(talk::number(1)));
    EXPECT_FALSE(retry(why));
  }
  xpc_rich_error_t error = nullptr;
  EXPECT_EQ(xpc_session_create_mach_service("org.example.nobody", nullptr, XPC_SESSION_CREATE_NONE,
                                            &error),
            nullptr);
  why = owned(error);
  EXPECT_FALSE(retry(why));
}
