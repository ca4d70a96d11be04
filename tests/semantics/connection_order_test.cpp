// Messages and handlers, rules 80 to 88, in each setting.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "settings.hpp"

using namespace semantics;
using talk::kept;

TEST_P(Connections, R080_SendNeverBlocksAndMeansNothingAboutTheHandler) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  // Far more than the service takes while it handles nothing; were a send to wait, the test would
  // hang here.
  const std::vector<std::byte> bulk(65536);
  constexpr std::int64_t count = 128;
  for (std::int64_t i = 0; i < count; ++i) {
    owned note = order("note", i);
    xpc_dictionary_set_data(note, "bulk", bulk.data(), bulk.size());
    c.send(note);
  }
  EXPECT_TRUE(notes_in(watcher.ask("notes")).empty());
  watcher.send("unblock");
  EXPECT_EQ(notes_in(c.ask("notes")).size(), static_cast<std::size_t>(count));
}

// What rule 331 leaves of rule 82.
TEST_P(Connections, R082_HandlerCallsDoNotOverlapWhileSendsLeaveAndRepliesArrive) {
  static xpc_connection_t self;
  std::atomic<int> inside{0}, most{0}, calls{0};
  talk::events replies;
  talk::handler got = talk::into(replies);
  xpc_testing::event done;
  std::vector<std::int64_t> seen_meanwhile;
  client other(connection());
  self = connection();
  client c(self, talk::handler([&](xpc_object_t event) {
             if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
             most = std::max(most.load(), ++inside);
             if (++calls == 1) {
               xpc_connection_send_message(self, order("note", 7));
               openxpc_connection_send_message_with_reply_f(self, owned(talk::number(1)), nullptr,
                                                            &got, talk::call_handler);
               EXPECT_EQ(talk::number_in(replies.take().get()), 2);
               seen_meanwhile = notes_in(other.ask("notes"));
             }
             --inside;
             if (calls == 100) done.set();
           }));
  c.send("say", 100);
  done.wait();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(seen_meanwhile, std::vector<std::int64_t>{7});
}

TEST_P(Connections, R083_AHandlerSetDuringACallIsUsedFromTheNextCallOn) {
  static xpc_connection_t self;
  talk::events first, second;
  self = connection();
  client c(self, talk::handler([&](xpc_object_t event) {
             talk::set_handler(self, [&](xpc_object_t next) {
               second.put(kept(next));
               if (next == XPC_ERROR_CONNECTION_INVALID) c.note_invalid();
             });
             first.put(kept(event));
           }));
  c.send("say", 3);
  EXPECT_EQ(talk::number_in(first.take().get()), 1);
  EXPECT_EQ(talk::number_in(second.take().get()), 2);
  EXPECT_EQ(talk::number_in(second.take().get()), 3);
  EXPECT_EQ(first.size(), 0u);
}

TEST_P(Connections, R084_AnEventIsLentUnlessTheHandlerRetainsIt) {
  client c(connection());
  // The service gets the writing end of a pipe with a message: it stays open as long as the
  // message.
  auto give_pipe = [&](const char* op) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    owned message = order(op);
    xpc_dictionary_set_fd(message, "pipe", ends[1]);
    ::close(ends[1]);
    if (std::string(op) == "hold") {
      static talk::handler ignore = [](xpc_object_t) {};
      c.ask_later(message, ignore);
    } else {
      c.send(message);
    }
    return openxpc::base::fd(ends[0]);
  };
  char byte;
  openxpc::base::fd lent = give_pipe("drop");
  EXPECT_EQ(::read(lent.get(), &byte, 1), 0);  // at its end: the message is gone
  openxpc::base::fd retained = give_pipe("hold");
  EXPECT_EQ(c.add(1), 2);  // behind the handler that kept it
  ::fcntl(retained.get(), F_SETFL, O_NONBLOCK);
  EXPECT_EQ(::read(retained.get(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  c.ask("release");
  ::fcntl(retained.get(), F_SETFL, 0);
  EXPECT_EQ(::read(retained.get(), &byte, 1), 0);
}

// Silent on Apple's side; here: 64 MiB may wait for a reader, then the conversation is cut off.
TEST_P(Connections, R087_APeerThatReadsNothingIsCutOffAtTheLimit) {
  client watcher(connection()), c(connection());
  watcher.ask("watch");
  c.send("block");
  wait_for(watcher, "blocked");
  const std::vector<std::byte> bulk(1 << 20);
  owned message = order("drop");
  xpc_dictionary_set_data(message, "bulk", bulk.data(), bulk.size());
  for (int i = 0; i < 100 && c.box.size() == 0; ++i) c.send(message);
  expect_loss(c);
  watcher.send("unblock");
  EXPECT_EQ(watcher.add(1), 2);  // nobody else is touched
}

// The other half of rule 87: 128 MiB are the most that a message may hold.
TEST(Semantics, R087_AMessageThatIsTooLargeFailsAloneAndTheConnectionGoesOn) {
  talk::service s([](xpc_connection_t, xpc_object_t event) { talk::answer_plus_one(event); });
  client c(s.connect([](xpc_object_t) {}), false);
  const std::vector<std::byte> bulk((128 << 20) + 1);
  owned message(talk::number(1));
  xpc_dictionary_set_data(message, "bulk", bulk.data(), bulk.size());
  EXPECT_EQ(xpc_get_type(c.ask(message)), XPC_TYPE_ERROR);
  EXPECT_EQ(c.add(1), 2);
}

// A third bound: a message holds 253 descriptors.
TEST(Semantics, R087_AMessageOf253DescriptorsArrivesAndOneMoreFailsAlone) {
  talk::service s([](xpc_connection_t, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    std::int64_t open = 0;
    for (std::size_t i = 0; i < xpc_array_get_count(xpc_dictionary_get_array(event, "fds")); ++i) {
      openxpc::base::fd mine(xpc_array_dup_fd(xpc_dictionary_get_array(event, "fds"), i));
      if (mine) ++open;
    }
    owned reply(xpc_dictionary_create_reply(event));
    xpc_dictionary_set_int64(reply, "n", open);
    xpc_connection_send_message(xpc_dictionary_get_remote_connection(event), reply);
  });
  client c(s.connect([](xpc_object_t) {}), false);
  openxpc::base::fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  owned all(xpc_array_create_empty());
  for (int i = 0; i < 253; ++i) xpc_array_set_fd(all, XPC_ARRAY_APPEND, null.get());
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(message, "fds", all);
  EXPECT_EQ(talk::number_in(c.ask(message)), 253);
  xpc_array_set_fd(all, XPC_ARRAY_APPEND, null.get());
  EXPECT_EQ(xpc_get_type(c.ask(message)), XPC_TYPE_ERROR);
  xpc_dictionary_set_value(message, "fds", nullptr);
  EXPECT_EQ(talk::number_in(c.ask(message)), 0);
}

TEST(Semantics, R088_AProcessMayTalkToItself) {
  static xpc_connection_t self;
  talk::service s([](xpc_connection_t peer, xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    owned sure(xpc_connection_send_message_with_reply_sync(peer, owned(talk::number(100))));
    owned reply(xpc_dictionary_create_reply(event));
    xpc_dictionary_set_int64(reply, "n", talk::number_in(event) + talk::number_in(sure));
    xpc_connection_send_message(peer, reply);
  });
  // The endpoint went through a message of this very process.
  owned carrier(xpc_dictionary_create_empty());
  xpc_dictionary_set_value(carrier, "to", s.endpoint());
  self = xpc_connection_create_from_endpoint(
      static_cast<xpc_endpoint_t>(xpc_dictionary_get_value(carrier, "to")));
  client c(self, talk::handler([](xpc_object_t event) {
             if (xpc_get_type(event) == XPC_TYPE_DICTIONARY) talk::answer_plus_one(event);
           }));
  EXPECT_EQ(c.add(5), 106);
  EXPECT_EQ(xpc_connection_get_pid(c), ::getpid());
}
