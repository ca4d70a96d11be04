// Event streams: semantics.md, section 18.

#include "support/patience.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "system/manager.hpp"
#include "system/renewal.hpp"

namespace system_test {
namespace {

constexpr const char* stream = "org.example.stream";

class Events : public ::testing::Test {
 protected:
  const std::string root = xpc_testing::runtime_directory();
  const std::string file = root + "/log";
  manager xpcd{root + "/domain"};

  /// A job that is the role "events", and wants what `entries` says.
  void load(const std::string& entries, const std::vector<std::string>& options = {},
            const std::string& of = stream, const std::string& more = "") {
    std::vector<std::string> all{file, of};
    all.insert(all.end(), options.begin(), options.end());
    std::string events;
    if (!entries.empty()) {
      events =
          "<key>LaunchEvents</key><dict><key>" + of + "</key><dict>" + entries + "</dict></dict>";
    }
    answer loaded =
        xpcd.bootstrap(plist("job", role("events", all), {},
                             events + more + "<key>ThrottleInterval</key><integer>0</integer>"));
    ASSERT_TRUE(loaded) << loaded.message;
  }
  static std::string entry(const std::string& name, const std::string& path = "") {
    return "<key>" + name + "</key><dict>" +
           (path.empty() ? "" : "<key>Path</key><string>" + path + "</string>") + "</dict>";
  }
  answer publish(const std::string& name, const std::string& text,
                 const std::string& into = stream) const {
    object_ref event = dictionary();
    set(event, "Text", text);
    object_ref request = dictionary();
    set(request, "op", "publish");
    set(request, "stream", into);
    set(request, "name", name);
    xpc_dictionary_set_value(request.get(), "event", event.get());
    return xpcd.ask(request);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::ifstream from(file);
    for (std::string line; std::getline(from, line);) all.push_back(line);
    return all;
  }
  std::int64_t count(const std::string& line) const {
    const std::vector<std::string> all = lines();
    return std::count(all.begin(), all.end(), line);
  }
  void wait_for(const std::string& line, std::int64_t times = 1) {
    xpc_testing::wait_until(line, [&] { return count(line) >= times; });
  }
  void wait_until_handled() {
    xpc_testing::wait_until("all events to be handled", [&] {
      object_ref job = xpcd.print("job");
      return has(job, "events-waiting") && number_at(job, "events-waiting") == 0;
    });
  }
};

TEST_F(Events, R199_AnEventStartsTheJobAndWaitsForItsHandler) {
  load(entry("one") + entry("two"));
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  answer told = publish("one", "a");
  ASSERT_TRUE(told) << told.message;
  EXPECT_EQ(number_at(told.reply, "jobs"), 1);
  ASSERT_TRUE(publish("two", "b"));
  ASSERT_TRUE(publish("one", "c"));
  wait_until_handled();
  EXPECT_EQ(lines(),
            (std::vector<std::string>{"start", "event one a", "event two b", "event one c"}));
}

TEST_F(Events, R200_AnEventBearsTheNameThatTheJobChoseWhateverElseIsInIt) {
  load(entry("one"));
  object_ref event = dictionary();
  set(event, XPC_EVENT_KEY_NAME, "another");
  object_ref request = dictionary();
  set(request, "op", "publish");
  set(request, "stream", stream);
  set(request, "name", "one");
  xpc_dictionary_set_value(request.get(), "event", event.get());
  ASSERT_TRUE(xpcd.ask(request));
  wait_for("event one");
}

TEST_F(Events, R201_EventsWaitForAJobThatDoesNotRegisterItsHandler) {
  load(entry("one"), {"deaf"});
  ASSERT_TRUE(publish("one", "a"));
  // Started again, in vain, but not in a loop.
  wait_for("start", 3);
  EXPECT_EQ(number_at(xpcd.print("job"), "events-waiting"), 1);
  std::ofstream(file + ".hear") << "x";
  wait_for("event one a");
  wait_until_handled();
}

TEST_F(Events, R203_AnEventThatAProcessDidNotHandleGoesToTheNextOne) {
  load(entry("one"), {"crash"});
  ASSERT_TRUE(publish("one", "a"));
  ASSERT_TRUE(publish("one", "b"));
  wait_until_handled();
  // The first process died with the first one in its hands.
  EXPECT_EQ(lines(), (std::vector<std::string>{"start", "event one", "start", "event one a",
                                               "event one b"}));
}

TEST_F(Events, WhatWaitsOutlastsTheServiceManagerAndIsHandledOnce) {
  load(entry("one"), {"wait"});
  ASSERT_TRUE(publish("one", "a"));
  wait_for("event one a");
  ASSERT_TRUE(publish("one", "b"));
  xpcd.replace();
  EXPECT_EQ(number_at(xpcd.print("job"), "events-waiting"), 2);
  std::ofstream(file + ".go") << "x";
  wait_for("event one b");
  wait_until_handled();
  EXPECT_EQ(count("event one a"), 1);
  EXPECT_EQ(count("start"), 1);
}

TEST_F(Events, R202_AReadableFifoIsAnEventWithItsDescriptor) {
  const std::string fifo = root + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  load(entry("in", fifo), {}, "org.openxpc.descriptor");
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  openxpc::base::fd to(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(to.get(), "first", 5), 5);
  wait_for("event in at fifo reads first");
  wait_until_handled();
  ASSERT_EQ(::write(to.get(), "second", 6), 6);
  wait_for("event in at fifo reads second");
  to.reset();
  // A writer that goes is no event, and a new service manager watches on.
  xpcd.replace();
  to.reset(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(to.get(), "third", 5), 5);
  wait_for("event in at fifo reads third");
  wait_until_handled();
  EXPECT_EQ(lines().size(), 4U) << "and the job's start";
}

TEST_F(Events, R202_AFifoMayComeLater) {
  const std::string fifo = root + "/fifo";
  load(entry("in", fifo), {}, "org.openxpc.descriptor");
  EXPECT_TRUE(has(xpcd.print("job"), "events"));
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  openxpc::base::fd to(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(to.get(), "x", 1), 1);
  wait_for("event in at fifo reads x");
}

TEST_F(Events, R202_AChangeAtAPathIsAnEvent) {
  load(entry("spool", root + "/spool"), {}, "org.openxpc.path");
  EXPECT_EQ(number_at(xpcd.print("job"), "starts"), 0);
  std::ofstream(root + "/spool") << "x";
  wait_for("event spool at spool");
  wait_until_handled();
  const std::int64_t before = count("event spool at spool");
  std::ofstream(root + "/spool") << "y";
  wait_for("event spool at spool", before + 1);
}

TEST_F(Events, R353_AProgramAsksForEventsByItself) {
  load("", {"set"}, stream, "<key>RunAtLoad</key><true/>");
  wait_for("set yes");
  ASSERT_TRUE(publish("own", "a"));
  wait_for("event own a");
  // What it set stays, also for its next process.
  xpcd.replace();
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  ASSERT_TRUE(publish("own", "b"));
  wait_for("event own b");
  EXPECT_EQ(publish("other", "c").code, OPENXPC_ERROR_NOT_FOUND);
}

TEST_F(Events, ADescriptorThatAProgramPassedOutlastsTheProgramAndAnUpgradeOfXpcd) {
  const std::string fifo = file + ".fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  openxpc::base::fd to(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  load("", {"pass-fifo"}, "org.openxpc.descriptor", "<key>RunAtLoad</key><true/>");
  wait_for("set yes");
  ASSERT_TRUE(xpcd.verb("kickstart", "job"));
  object_ref end = dictionary();
  set(end, "op", "kill");
  set(end, "label", "job");
  set(end, "signal", std::int64_t{9});
  ASSERT_TRUE(xpcd.ask(end));
  xpcd.wait_for_state("job", "waiting");
  ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  EXPECT_EQ(text_at(xpcd.print("job"), "state"), "waiting");
  ASSERT_EQ(::write(to.get(), "later", 5), 5);
  wait_for("event own reads later");
  wait_until_handled();
}

TEST_F(Events, WhatWaitsOutlastsAnUpgradeOfXpcdAndIsHandledOnce) {
  load(entry("one"), {"wait"});
  ASSERT_TRUE(publish("one", "a"));
  wait_for("event one a");
  for (const char* more : {"b", "c", "d"}) {
    ASSERT_TRUE(publish("one", more));
    ASSERT_NO_FATAL_FAILURE(renew(xpcd));
  }
  EXPECT_EQ(number_at(xpcd.print("job"), "events-waiting"), 4);
  std::ofstream(file + ".go") << "x";
  wait_for("event one d");
  wait_until_handled();
  for (const char* one : {"a", "b", "c", "d"}) {
    EXPECT_EQ(count(std::string("event one ") + one), 1) << one;
  }
  EXPECT_EQ(count("start"), 1);
}

TEST_F(Events, R353_AProgramPassesADescriptorAndIsToldWhenItIsReadable) {
  load("", {"pass"}, "org.openxpc.descriptor", "<key>RunAtLoad</key><true/>");
  wait_for("event own reads hello");
  wait_until_handled();
}

TEST_F(Events, WhoPublishesLearnsWhatIsWanted) {
  load(entry("one"));
  object_ref request = dictionary();
  set(request, "op", "subscribers");
  set(request, "stream", stream);
  answer all = xpcd.ask(request);
  ASSERT_TRUE(all) << all.message;
  xpc_object_t list = xpc_dictionary_get_value(all.reply.get(), "subscribers");
  ASSERT_EQ(xpc_array_get_count(list), 1U);
  object_ref one(xpc_retain(xpc_array_get_value(list, 0)));
  EXPECT_EQ(text_at(one, "label"), "job");
  EXPECT_EQ(text_at(one, "name"), "one");
  EXPECT_EQ(publish("two", "a").code, OPENXPC_ERROR_NOT_FOUND);
  std::string message = publish("one", "a", "org.openxpc.path").message;
  EXPECT_NE(message.find("xpcd itself publishes"), std::string::npos) << message;
  ASSERT_TRUE(xpcd.verb("bootout", "job"));
  EXPECT_EQ(publish("one", "a").code, OPENXPC_ERROR_NOT_FOUND);
}

TEST_F(Events, XpcctlPublishesAndListsWhatIsWanted) {
  load(entry("one"));
  auto xpcctl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--domain", xpcd.directory()});
    return xpc_testing::run(xpc_testing::xpcctl_program,
                            {.arguments = arguments, .keep_stderr = true});
  };
  xpc_testing::run_result said = xpcctl({"publish", stream, "one", "{\"Text\": \"a\"}"});
  EXPECT_EQ(said.end.status, 0) << said.error;
  wait_for("event one a");
  said = xpcctl({"publish", "--list", stream});
  EXPECT_NE(said.output.find("one                      job"), std::string::npos) << said.output;
  said = xpcctl({"publish", stream, "two"});
  EXPECT_NE(said.end.status, 0);
  EXPECT_NE(said.error.find("no job wants events named two"), std::string::npos) << said.error;
  EXPECT_NE(xpcctl({"publish", stream, "one", "7"}).end.status, 0);
  EXPECT_NE(xpcctl({"print", "job"}).output.find("one of org.example.stream"), std::string::npos);
}

class Transactions : public ::testing::Test {
 protected:
  manager xpcd{xpc_testing::runtime_directory() + "/domain", {"--idle-exit", "1"}};
  const std::string name = "org.example.counts";

  void wait_for_count(std::int64_t wanted) {
    xpc_testing::wait_until(std::to_string(wanted) + " transactions", [&] {
      object_ref job = xpcd.print("job");
      return has(job, "transactions") && number_at(job, "transactions") == wanted;
    });
  }
};

TEST_F(Transactions, R167_TheServiceManagerShowsWhatKeepsAServiceBusy) {
  answer loaded = xpcd.bootstrap(
      plist("job", role("transactions", {name}), {name}, "<key>EnablePressuredExit</key><true/>"));
  ASSERT_TRUE(loaded) << loaded.message;
  session client = xpcd.open(name);
  ASSERT_TRUE(client.call("begin"));
  ASSERT_TRUE(client.call("begin"));
  wait_for_count(2);
  ASSERT_TRUE(client.call("end"));
  wait_for_count(1);
  // What is being handled counts as well.
  openxpc_call_t held = client.begin("hold");
  wait_for_count(2);
  ::openxpc_call_cancel(held);
  ::openxpc_call_release(held);
  xpcd.replace();
  ASSERT_TRUE(client.call("begin"));
  wait_for_count(3);
}

}  // namespace
}  // namespace system_test
