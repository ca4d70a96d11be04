// Killing the service manager and services at random, while 50 clients call and 10 read streams.

#include "support/patience.hpp"
#include "support/resources.hpp"
#include "support/sanitizers.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "system/manager.hpp"

using namespace system_test;

namespace {

/// OPENXPC_TEST_SEED, or another one each time; printed, so that a run can be repeated.
std::uint32_t seed() {
  const char* given = std::getenv("OPENXPC_TEST_SEED");
  const std::uint32_t chosen =
      given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device()();
  std::printf("OPENXPC_TEST_SEED=%u\n", chosen);
  std::fflush(stdout);
  return chosen;
}

class Campaign : public ::testing::Test {
 protected:
  static constexpr int callers_each = 10, caller_processes = 5, reader_count = 10;

  const std::string root = xpc_testing::runtime_directory();
  const std::string name = "org.example.books";
  const std::string book = root + "/book";
  manager xpcd{root + "/domain"};
  std::mt19937 random{seed()};

  std::uint32_t up_to(std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  }
  /// So many more requests have been handled.
  void wait_for_progress(std::uintmax_t lines) const {
    std::error_code none;
    const std::uintmax_t before = std::filesystem::file_size(book, none);
    // Ids have eight digits.
    xpc_testing::wait_until("requests to be handled", [&] {
      std::error_code ignored;
      return std::filesystem::file_size(book, ignored) >= before + lines * 9;
    });
  }
  std::map<std::int64_t, int> handled() const {
    std::map<std::int64_t, int> times;
    std::ifstream file(book);
    for (std::int64_t id = 0; file >> id;) ++times[id];
    return times;
  }
  void disturb() {
    switch (up_to(3)) {
      case 0:
        return xpcd.replace();
      case 1: {
        // Between two service managers the service dies, and nobody starts another one.
        const std::int64_t pid = number_at(xpcd.print("books"), "pid");
        xpcd.kill();
        if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGKILL);
        return xpcd.start();
      }
      case 2: {
        object_ref order = dictionary();
        set(order, "op", "kickstart");
        set(order, "label", "books");
        ::xpc_dictionary_set_bool(order.get(), "kill", true);
        answer done = xpcd.ask(order);
        EXPECT_TRUE(done) << "a planned stop: " << done.message;
        return;
      }
      default: {
        const std::int64_t pid = number_at(xpcd.print("books"), "pid");
        if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGKILL);
      }
    }
  }
};

TEST_F(Campaign, EachRequestIsAnsweredOrFailsOnceWithTheRightWordAndStreamsLoseNothing) {
  answer loaded = xpcd.bootstrap(plist("books", role("bookkeeper", {name, book}), {name},
                                       "<key>ThrottleInterval</key><integer>0</integer>"));
  ASSERT_TRUE(loaded) << loaded.message;
  std::ofstream(book).flush();
  std::vector<xpc_testing::child> callers;
  for (int i = 0; i < caller_processes; ++i) {
    callers.push_back(xpc_testing::child::role(
        "callers", {.arguments = {xpcd.directory(), name, std::to_string(callers_each),
                                  std::to_string(10 + i * callers_each)}}));
  }
  xpc_testing::child readers = xpc_testing::child::role(
      "readers", {.arguments = {xpcd.directory(), name, std::to_string(reader_count)}});
  const int disturbances = xpc_testing::has_sanitizer ? 8 : 30;
  for (int i = 0; i < disturbances; ++i) {
    wait_for_progress(up_to(300));
    disturb();
  }
  wait_for_progress(100);

  std::map<char, int> words;
  std::map<std::int64_t, char> told;
  for (xpc_testing::child& one : callers) one.write_line("stop");
  for (xpc_testing::child& one : callers) {
    while (std::optional<std::string> line = one.read_line()) {
      if (line->empty()) break;
      std::istringstream fields(*line);
      std::int64_t id = 0;
      char word = 0;
      std::string more;
      fields >> id >> word >> more;
      EXPECT_EQ(more, "") << *line << ": each is told once";
      EXPECT_TRUE(told.emplace(id, word).second) << id;
      ++words[word];
    }
    EXPECT_EQ(one.wait().status, 0);
  }
  const std::map<std::int64_t, int> done = handled();
  for (const auto& [id, times] : done) EXPECT_EQ(times, 1) << id << " was handled twice";
  for (const auto& [id, word] : told) {
    EXPECT_NE(word, '?') << id;
    if (word == 'a') {
      EXPECT_EQ(done.count(id), 1u) << id << " was answered and not handled";
    }
    if (word == 'n') {
      EXPECT_EQ(done.count(id), 0u) << id << " was handled, and its caller heard not accepted";
    }
  }
  EXPECT_GT(words['a'], 100);
  std::printf("%d answered, %d not accepted, %d unknown\n", words['a'], words['n'], words['u']);

  readers.write_line("stop");
  for (int i = 0; i < reader_count; ++i) {
    const std::string line = readers.read_line().value_or("");
    std::istringstream fields(line);
    std::int64_t events = 0, wrong = -1, interruptions = 0;
    fields >> events >> wrong >> interruptions;
    EXPECT_GT(events, 0) << line;
    EXPECT_EQ(wrong, 0) << line;
  }
  EXPECT_EQ(readers.wait().status, 0);
}

}  // namespace
