// Planned stops: a service that is asked to end over its link finishes what it has accepted.

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "system/manager.hpp"

namespace system_test {
namespace {

TEST(PlannedStop, UnderLoadEachAcceptedRequestIsHandledOnceAndAnswered) {
  manager xpcd(xpc_testing::runtime_directory() + "/domain");
  const std::string name = "org.example.recorder";
  const std::string file = xpc_testing::runtime_directory() + "/handled";
  ASSERT_TRUE(xpcd.bootstrap(plist("recorder", role("recorder", {name, file}), {name})));

  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> next_id{1};
  std::atomic<int> refused{0};
  std::mutex lock;
  std::set<std::int64_t> answered;
  std::vector<std::string> wrong;
  auto work = [&] {
    session own = xpcd.open(name);
    while (!stop) {
      const std::int64_t id = next_id++;
      object_ref message = dictionary();
      set(message, "id", id);
      answer reply = own.call(message);
      std::lock_guard hold(lock);
      if (reply) {
        answered.insert(id);
      } else if ((reply.flags & OPENXPC_ERROR_NOT_ACCEPTED) ||
                 reply.code == OPENXPC_ERROR_CANCELED) {
        // Not accepted, or the conversation was over before the call was made.
        ++refused;
        own = xpcd.open(name);
      } else {
        wrong.push_back(std::to_string(id) + ": " + reply.message);
        own = xpcd.open(name);
      }
    }
  };
  std::thread one(work), two(work), three(work);
  auto count = [&] {
    std::lock_guard hold(lock);
    return answered.size();
  };
  for (int i = 0; i < 10; ++i) {
    const std::size_t before = count();
    xpc_testing::wait_until("requests to be answered", [&] { return count() > before + 50; });
    object_ref order = dictionary();
    set(order, "op", "kickstart");
    set(order, "label", "recorder");
    ::xpc_dictionary_set_bool(order.get(), "kill", true);
    answer restarted = xpcd.ask(order);
    EXPECT_TRUE(restarted) << restarted.message;
  }
  stop = true;
  one.join();
  two.join();
  three.join();
  EXPECT_TRUE(wrong.empty()) << wrong.size() << " failed otherwise, the first " << wrong.front();

  std::map<std::int64_t, int> handled;
  std::ifstream lines(file);
  for (std::int64_t id = 0; lines >> id;) ++handled[id];
  for (const auto& [id, times] : handled) {
    EXPECT_EQ(times, 1) << id;
    EXPECT_TRUE(answered.count(id)) << id << " was handled, its answer was lost";
  }
  EXPECT_EQ(handled.size(), answered.size());
  EXPECT_EQ(number_at(xpcd.print("recorder"), "quick-failures"), 0);
}

TEST(PlannedStop, AServiceThatKnowsNothingOfTerminationEndsAllTheSame) {
  manager xpcd(xpc_testing::runtime_directory() + "/domain");
  const std::string name = "org.example.plain";
  // ExitTimeOut 0: nobody will kill it.
  ASSERT_TRUE(xpcd.bootstrap(
      plist("plain", role("plain", {name}), {name}, "<key>ExitTimeOut</key><integer>0</integer>")));
  session client = xpcd.open(name);
  answer reply = client.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  // By a signal, which does not come from the service manager.
  ASSERT_EQ(::kill(static_cast<pid_t>(number_at(reply.reply, "pid")), SIGTERM), 0);
  wait_until_gone(static_cast<pid_t>(number_at(reply.reply, "pid")));
  ASSERT_TRUE(xpcd.verb("kickstart", "plain"));
  reply = xpcd.open(name).call("hello");
  ASSERT_TRUE(reply) << reply.message;
  // Over the service link.
  ASSERT_TRUE(xpcd.verb("bootout", "plain"));
  EXPECT_FALSE(is_alive(static_cast<pid_t>(number_at(reply.reply, "pid"))));
}

}  // namespace
}  // namespace system_test
