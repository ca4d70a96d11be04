#include "hostile/scene.hpp"

#include "support/patience.hpp"
#include "support/resources.hpp"

#include <algorithm>
#include <fstream>

using namespace system_test;

namespace hostile {
namespace {

std::size_t status_bytes(pid_t process, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;) {
    std::size_t number = 0;
    if (word == name + ":" && status >> number) return number * 1024;
  }
  return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_told = false;
#else
constexpr bool memory_is_told = true;
#endif

}  // namespace

Attack::Attack(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  answer loaded = xpcd.bootstrap(plist("victim", role("victim", arguments), {name},
                                       "<key>ThrottleInterval</key><integer>0</integer>"));
  if (!loaded) throw std::runtime_error(loaded.message);
  honest = xpcd.open(name);
  // Twice, so that threads, buffers and the link to the service manager are there.
  for (int i = 0; i < 2; ++i) {
    answer reply = honest.call("hello");
    if (!reply) throw std::runtime_error(reply.message);
    service = static_cast<pid_t>(number_at(reply.reply, "pid"));
  }
  descriptors = xpc_testing::descriptor_count(service);
  memory_ = status_bytes(service, "RssAnon");
  std::ofstream("/proc/" + std::to_string(service) + "/clear_refs") << 5;
  peak_ = status_bytes(service, "VmHWM");
}

xpc_testing::child Attack::attacker(const std::string& role,
                                    const std::vector<std::string>& arguments) {
  xpc_testing::child_options options;
  options.arguments = {xpcd.directory() + "/" + name};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  return xpc_testing::child::role(role, options);
}

void Attack::run_attacker(const std::string& role, const std::vector<std::string>& arguments) {
  xpc_testing::child one = attacker(role, arguments);
  const std::string said = one.read_all();
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0})) << role << ": " << said;
}

void Attack::expect_memory_below(std::size_t growth) const {
  if (!memory_is_told) return;
  EXPECT_LE(status_bytes(service, "RssAnon"), memory_ + growth);
}

void Attack::expect_peak_below(std::size_t growth) const {
  if (!memory_is_told) return;
  EXPECT_LE(status_bytes(service, "VmHWM"), peak_ + growth);
}

void Attack::expect_answers() {
  answer reply = honest.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  EXPECT_EQ(number_at(reply.reply, "pid"), service);
}

void Attack::expect_unharmed(std::size_t growth) {
  expect_answers();
  xpc_testing::wait_until("the service's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(service) <= descriptors; });
  expect_memory_below(growth);
  // A newcomer is served as well.
  session late = xpcd.open(name);
  answer reply = late.call("hello");
  ASSERT_TRUE(reply) << reply.message;
  EXPECT_EQ(number_at(reply.reply, "pid"), service);
}

std::vector<std::string> Attack::endings() {
  answer reply = honest.call("endings");
  EXPECT_TRUE(reply) << reply.message;
  return reply ? texts_at(reply.reply, "endings") : std::vector<std::string>();
}

void Attack::expect_ending(const std::string& words) {
  auto is_it = [&](const std::string& one) { return one.find(words) != std::string::npos; };
  try {
    xpc_testing::wait_until("the end", [&] {
      for (std::string& one : endings()) endings_.push_back(std::move(one));
      auto at = std::find_if(endings_.begin(), endings_.end(), is_it);
      if (at == endings_.end()) return false;
      endings_.erase(at);
      return true;
    });
  } catch (const std::exception&) {
    std::string all;
    for (const std::string& one : endings_) all += one + "\n";
    ADD_FAILURE() << "no conversation ended with \"" << words << "\" but:\n" << all;
  }
}

}  // namespace hostile
