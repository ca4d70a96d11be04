// What stands inside packets that are framed well: values of other types, broken encodings, bombs,
// descriptors whose files change. Each fails alone.

#include "support/places.hpp"
#include "support/role.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "hostile/raw.hpp"
#include "hostile/scene.hpp"

using openxpc::base::fd;
using xpc_testing::role_call;

namespace hostile {
namespace {

const std::string& path_of(const role_call& call) { return call.arguments.at(0); }

/// One request at a time over a connection of its own.
class caller {
 public:
  explicit caller(const std::string& path) : talk(line::greeted(path)) {}
  frame call(const std::string& body, std::span<const int> fds = {}) {
    expect(talk.send(pack({{.what = request,
                            .id = ++id_,
                            .body = body,
                            .attachments = static_cast<std::uint16_t>(fds.size())}}),
                     fds),
           "the service takes no request");
    return answer();
  }
  frame call_long(const std::string& body) {
    expect(talk.send_long({.what = request, .id = ++id_, .body = body}), "the service left");
    return answer();
  }
  frame answer() {
    std::optional<frame> got = talk.answer_to(id_);
    expect(got.has_value(), "the service closed the connection");
    return *got;
  }
  line talk;

 private:
  std::uint64_t id_ = 0;
};

bool is_malformed(const frame& answer) {
  return answer.what == failure && answer.body.find("offset ") != std::string::npos;
}

std::string tagged(std::uint32_t tag, const std::string& content = {}) {
  return number(tag) + content;
}
std::string array_of(std::uint32_t count, const std::string& content) {
  return number(std::uint32_t{0xe000}) + number(static_cast<std::uint32_t>(content.size() + 4)) +
         number(count) + content;
}

// --- T39 -----------------------------------------------------------------------------------------

XPC_TEST_ROLE(wrong_types) {
  caller to(path_of(call));
  const std::string nothing_wrong = native(dictionary_of({{"wrong", int64_value(0)}}));
  const std::string values[] = {tagged(0x1000),
                                tagged(0x2000, number(std::uint32_t{1})),
                                int64_value(-7),
                                tagged(0x4000, number(std::uint64_t{7})),
                                tagged(0x5000, number(7.5)),
                                tagged(0x7000, number(std::uint64_t{7})),
                                data_value("seven"),
                                string_value("seven"),
                                tagged(0xa000, std::string(16, 'u')),
                                array_of(1, int64_value(7)),
                                dictionary_of({{"k", int64_value(7)}})};
  for (const std::string& each : values)
    expect(to.call(op("read", {{"v", each}})).body == nothing_wrong,
           "a getter found a value of type " + std::to_string(static_cast<int>(each[1])));
  fd file(::memfd_create("a file", MFD_CLOEXEC));
  const int files[] = {file.get()};
  for (const std::string& each : {fd_value(), endpoint_value(), shmem_value(4096)})
    expect(to.call(op("read", {{"v", each}}), files).body == nothing_wrong,
           "a getter found a descriptor of another type");
  // The operation itself is no string, or there is none.
  for (const std::string& each : values) {
    const std::string body = native(dictionary_of({{"op", each}}));
    expect(to.call(body).what == reply, "a message of another shape is no reason to fail it");
  }
  // No dictionary at all.
  for (const std::string& each : values)
    if (each != values[10]) expect(is_malformed(to.call(native(each))), "the root is checked");
  return 0;
}

TEST_F(Attack, T39_ValuesOfEveryWrongTypeReadAsNothing) {
  run_attacker("wrong_types");
  expect_unharmed();
}

// --- T40 -----------------------------------------------------------------------------------------

std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

XPC_TEST_ROLE(broken_encodings) {
  caller to(path_of(call));
  std::ifstream file(std::string(xpc_testing::data_folder) + "/wire/hostile.json");
  int accepted = 0;
  const nlohmann::json all = nlohmann::json::parse(file);
  for (const auto& each : all.at("vectors")) {
    std::string body = from_hex(each.at("hex").get<std::string>());
    const std::string magic = number(std::uint32_t{0x40585043});
    if (body.size() >= 8) body.replace(0, 4, magic);
    const frame got = to.call(body);
    if (got.what == reply)
      ++accepted;
    else
      expect(is_malformed(got), each.at("name").get<std::string>() + ": no offset in its failure");
  }
  expect(accepted == 5, std::to_string(accepted) + " accepted; only the magic of 5 was wrong");
  return 0;
}

TEST_F(Attack, T40_BrokenEncodingsFailTheirRequestWithTheOffset) {
  run_attacker("broken_encodings");
  expect_unharmed();
}

/// Random changes of a message that is sent back: what was accepted comes back as it was.
XPC_TEST_ROLE(mutants) {
  caller to(path_of(call));
  std::mt19937 random(static_cast<unsigned>(std::stoi(call.arguments.at(1))));
  const std::string original =
      op("echo", {{"text", string_value("a text of some length")},
                  {"bytes", data_value(std::string(30, 'b'))},
                  {"list", array_of(3, int64_value(1) + string_value("x") + tagged(0x1000))},
                  {"inner", dictionary_of({{"k", tagged(0x2000, number(std::uint32_t{1}))},
                                           {"id", tagged(0xa000, std::string(16, 'u'))}})}});
  const std::string nothing = native(dictionary_of({}));
  int same = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string body = original;
    for (unsigned changes = random() % 3 + 1; changes > 0; --changes) {
      const std::size_t at = 8 + random() % (body.size() - 8);
      body[at] = static_cast<char>(random() % 4 ? body[at] ^ (1 << random() % 8) : random());
    }
    const frame got = to.call(body);
    if (got.what == failure) {
      expect(is_malformed(got), "a failure without an offset");
      ++refused;
    } else {
      expect(got.body == body || got.body == nothing, "something else came back than was sent");
      same += got.body == body;
    }
  }
  expect(same > 100 && refused > 100,
         std::to_string(same) + " came back, " + std::to_string(refused) + " were refused");
  return 0;
}

TEST_F(Attack, T40_WhatIsSentOnIsWhatWasReceivedAndNothingBeyond) {
  for (const char* seed : {"1", "2"}) run_attacker("mutants", {seed});
  expect_unharmed();
}

// --- T42 -----------------------------------------------------------------------------------------

XPC_TEST_ROLE(nesting) {
  caller to(path_of(call));
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested = array_of(1, nested.empty() ? tagged(0x1000) : nested);
  expect(is_malformed(to.call(op("hello", {{"v", nested}}))), "10,000 containers in one another");
  // Lengths that promise more: the deepest 100,000 heads without their ends.
  std::string heads;
  for (std::uint32_t i = 0; i < 100'000; ++i)
    heads +=
        number(std::uint32_t{0xe000}) + number(1'200'000 - i * 12 - 8) + number(std::uint32_t{1});
  expect(is_malformed(to.call_long(op("hello", {{"v", heads}}))), "100,000 heads of containers");
  return 0;
}

XPC_TEST_ROLE(counts) {
  caller to(path_of(call));
  for (const std::uint32_t count : {0xffffffffu, 0x80000000u, 0x10000000u, 1000u}) {
    expect(is_malformed(to.call(op("hello", {{"v", array_of(count, int64_value(1))}}))), "array");
    std::string dictionary = dictionary_of({{"k", int64_value(1)}});
    dictionary.replace(8, 4, number(count));
    expect(is_malformed(to.call(op("hello", {{"v", dictionary}}))), "dictionary");
  }
  return 0;
}

TEST_F(Attack, T42_NestingAndCountsAreRefusedWithoutMemory) {
  run_attacker("counts");
  expect_peak_below(64u << 20);
  run_attacker("nesting");
  expect_peak_below(64u << 20);
  expect_unharmed();
}

std::string million_keys(bool last_repeats) {
  constexpr std::uint32_t count = 1'000'000;
  std::string content;
  content.reserve(count * 24);
  for (std::uint32_t i = 0; i < count; ++i) {
    char key[16] = {};
    std::snprintf(key, sizeof key, "%011x", last_repeats && i == count - 1 ? i / 2 : i);
    content.append(key, 12);
    content += number(std::uint32_t{0x1000});
  }
  return number(std::uint32_t{0xf000}) + number(static_cast<std::uint32_t>(content.size() + 4)) +
         number(count) + content;
}

XPC_TEST_ROLE(keys) {
  caller to(path_of(call));
  const std::string body = op("hello", {{"v", million_keys(call.arguments.at(1) == "repeated")}});
  const frame got = to.call_long(body);
  expect(got.what == (call.arguments.at(1) == "repeated" ? failure : reply), "the outcome");
  return 0;
}

TEST_F(Attack, T42_AMillionKeysCostTimeAndMemoryInProportion) {
  xpc_testing::child one = attacker("keys", {"different"}), other = attacker("keys", {"repeated"});
  // Others are served meanwhile.
  for (int i = 0; i < 50; ++i) expect_answers();
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  EXPECT_EQ(other.wait(), (xpc_testing::ending{0, 0}));
  // Twice 16 MB of message, at most doubled while it grew, and the tables of keys.
  expect_peak_below(160u << 20);
  expect_unharmed(std::size_t{48} << 20);
}

// --- T44 -----------------------------------------------------------------------------------------

bool maps_the_file(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/maps");
  std::stringstream all;
  all << file.rdbuf();
  return all.str().find("memfd:shrinks") != std::string::npos;
}

XPC_TEST_ROLE(truncated_files) {
  caller to(path_of(call));
  fd file(::memfd_create("shrinks", MFD_CLOEXEC));
  const int files[] = {file.get()};
  std::atomic<bool> stop{false};
  std::thread shrinks([&] {
    while (!stop) {
      (void)!::ftruncate(file.get(), 1 << 20);
      (void)!::ftruncate(file.get(), 0);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    // As a descriptor that is read, as shared memory of more than there is, as an endpoint.
    expect(to.call(op("read-descriptor", {{"v", fd_value()}}), files).what == reply, "read");
    expect(to.call(op("read", {{"v", shmem_value(std::uint64_t{1} << 40)}}), files).what == reply,
           "shared memory");
    expect(to.call(op("echo", {{"v", shmem_value(4096)}}), files).what == reply, "sent on");
  }
  stop = true;
  shrinks.join();
  return 0;
}

TEST_F(Attack, T44_FilesThatShrinkAreReadOrRefusedAndNeverMapped) {
  xpc_testing::child one = attacker("truncated_files");
  while (one.alive()) {
    ASSERT_FALSE(maps_the_file(service));
    expect_answers();
  }
  EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  expect_unharmed();
}

// --- T50 -----------------------------------------------------------------------------------------

XPC_TEST_ROLE(good_and_bad) {
  line talk = line::greeted(path_of(call));
  const std::string good = op("echo", {{"v", int64_value(42)}});
  std::string bad = good;
  bad.resize(bad.size() - 4);
  constexpr std::uint64_t count = 400;
  // All at once, then the answers: each bad one fails with its offset, no good one suffers.
  for (std::uint64_t id = 1; id <= count; ++id) {
    const std::string& body = id % 2 ? good : bad;
    expect(talk.send(
               pack({{.what = request, .id = id, .body = body}, {.what = message, .body = body}})),
           "the service takes no more");
  }
  std::uint64_t answered = 0;
  while (answered < count) {
    const std::optional<frame> got = talk.receive();
    expect(got.has_value(), "the connection was closed");
    if (got->what != reply && got->what != failure) continue;
    ++answered;
    if (got->id % 2)
      expect(got->what == reply && got->body == good, "a good request suffered");
    else
      expect(is_malformed(*got), "a bad request did not fail with its offset");
  }
  return 0;
}

TEST_F(Attack, T50_BadMessagesFailAloneFromOneClientAndFromMany) {
  std::vector<xpc_testing::child> all;
  for (int i = 0; i < 4; ++i) all.push_back(attacker("good_and_bad"));
  for (int i = 0; i < 200; ++i) expect_answers();
  for (xpc_testing::child& one : all) EXPECT_EQ(one.wait(), (xpc_testing::ending{0, 0}));
  // Of the messages without reply the good ones were delivered.
  system_test::answer count = honest.call("count");
  ASSERT_TRUE(count);
  EXPECT_EQ(system_test::number_at(count.reply, "messages"), 4 * 200);
  expect_unharmed();
}

}  // namespace
}  // namespace hostile
