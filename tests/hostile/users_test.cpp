// Too much from one user, while another one wants to be served: a domain that both may enter.

#include "hostile/users.hpp"

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "hostile/raw.hpp"

using system_test::number_at;
using system_test::session;

namespace hostile {

TwoUsers::TwoUsers() {
  if (::geteuid() != 0) return;
  const std::string& root = xpc_testing::runtime_directory();
  ::chmod(root.c_str(), 0711);
  ::mkdir((root + "/domain").c_str(), 0755);
  ::chmod((root + "/domain").c_str(), 0755);
  xpcd.emplace(root + "/domain");
}

void TwoUsers::SetUp() {
  if (!xpcd) GTEST_SKIP() << "NOT SHOWN: needs root to be somebody else";
  system_test::answer loaded =
      xpcd->bootstrap(system_test::plist("victim", system_test::role("victim", {name}), {name}));
  ASSERT_TRUE(loaded) << loaded.message;
}

void become(uid_t user) {
  if (::setgid(user) != 0 || ::setuid(user) != 0)
    throw std::runtime_error("cannot become somebody else");
}

namespace {

constexpr std::size_t half_open_of_one_user = 4096;

/// SOCKET USER COUNT: so many connections of that user that say nothing; says how many of them were
/// refused, and why the first of these was.
XPC_TEST_ROLE(half_open_of_user) {
  become(static_cast<uid_t>(std::stoul(call.arguments.at(1))));
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<line> all;
  std::size_t refused = 0;
  for (int left = std::stoi(call.arguments.at(2)); left > 0; --left) {
    all.push_back(line::to(call.arguments.at(0)));
    expect(static_cast<bool>(all.back()), "the service takes no connection");
  }
  std::string why;
  for (line& one : all) {
    std::optional<frame> first = one.receive();
    if (!first || first->what != refusal) continue;
    ++refused;
    why = first->body.substr(8);
  }
  xpc_testing::say(std::to_string(refused));
  xpc_testing::say(why);
  xpc_testing::hear();
  return 0;
}

TEST_F(TwoUsers, T49_TenThousandHalfOpenHellosOfOneUserKeepNobodyElseOut) {
  // A service has the limit of whoever started its manager.
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int count = xpc_testing::has_sanitizer ? 5'000 : 10'000;
  if (limit.rlim_max < static_cast<rlim_t>(count) + 100)
    GTEST_SKIP() << "NOT SHOWN: needs " << count + 100 << " descriptors";
  session first = xpcd->open(name);
  system_test::answer got = first.call("hello");
  ASSERT_TRUE(got) << got.message;
  const auto service = static_cast<pid_t>(number_at(got.reply, "pid"));
  const std::size_t before = xpc_testing::descriptor_count(service);
  xpc_testing::child flood = xpc_testing::child::role(
      "half_open_of_user",
      {.arguments = {xpcd->directory() + "/" + name, "65534", std::to_string(count)}});
  // While they come and while they are there newcomers of another user are let in.
  std::size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    system_test::answer late = xpcd->open(name).call("hello");
    ASSERT_TRUE(late) << late.message;
    most = std::max(most, xpc_testing::descriptor_count(service));
  }
  const std::optional<std::string> refused = flood.read_line();
  ASSERT_TRUE(refused);
  EXPECT_GT(std::stoul(*refused), 0u);
  flood.expect_line(
      "too many clients of this user have connected and not said hello yet; try again later");
  for (int i = 0; i < 50; ++i) {
    system_test::answer late = xpcd->open(name).call("hello");
    ASSERT_TRUE(late) << late.message;
    most = std::max(most, xpc_testing::descriptor_count(service));
  }
  // Each is a socket and a descriptor of its process.
  EXPECT_LE(most, before + 2 * half_open_of_one_user + 64);
  EXPECT_EQ(number_at(first.call("hello").reply, "pid"), service);
  flood.kill(SIGKILL);
  flood.wait();
  xpc_testing::wait_until("the service's descriptors to be what they were",
                          [&] { return xpc_testing::descriptor_count(service) <= before + 8; });
}

}  // namespace
}  // namespace hostile
