// What the wire layer costs alone: nanoseconds for each entry validated, for each message written
// and read.
#include "wire/cursor.hpp"
#include "wire/validate.hpp"
#include "wire/writer.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

using namespace openxpc;
using namespace openxpc::wire;

namespace {

constexpr std::byte some_uuid[16] = {};

/// The request of the performance page: {name: 32-byte string, count: int64, ratio: double, flag:
/// bool, uuid}.
void write_request(base::buffer& out) {
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("name");
  to.string("0123456789abcdef0123456789abcdef");
  to.key("count");
  to.int64(123456);
  to.key("ratio");
  to.real(0.5);
  to.key("flag");
  to.boolean(true);
  to.key("uuid");
  to.uuid(some_uuid);
  to.end();
}

/// `count` keys like "key000042", each with an int64.
void write_large(base::buffer& out, int count) {
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  for (int i = 0; i < count; ++i) {
    std::string digits = std::to_string(1000000 + i);
    to.key("key" + digits.substr(1));
    to.int64(i);
  }
  to.end();
}

/// An array of `count` rows like those of a file-system event stream.
void write_rows(base::buffer& out, int count) {
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("rows");
  to.begin_array();
  for (int i = 0; i < count; ++i) {
    to.begin_dictionary();
    to.key("path");
    to.string("/usr/include/x86_64-linux-gnu/bits/types/struct_timespec.h");
    to.key("kind");
    to.string("modify");
    to.key("sequence");
    to.uint64(static_cast<std::uint64_t>(i));
    to.key("when");
    to.date(i);
    to.end();
  }
  to.end();
  to.end();
}

void validate_all(benchmark::State& state, const base::buffer& message) {
  summary found;
  for (auto _ : state) {
    auto problem = validate(message.view(), mode::local, 0, {}, &found);
    benchmark::DoNotOptimize(problem);
    if (problem) state.SkipWithError("refused");
  }
  auto entries = static_cast<double>(found.entries) * static_cast<double>(state.iterations());
  state.counters["ns_per_entry"] =
      benchmark::Counter(entries / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetBytesProcessed(static_cast<std::int64_t>(message.size()) *
                          static_cast<std::int64_t>(state.iterations()));
}

void validate_request(benchmark::State& state) {
  base::buffer message;
  write_request(message);
  validate_all(state, message);
}
BENCHMARK(validate_request);

void validate_dictionary(benchmark::State& state) {
  base::buffer message;
  write_large(message, static_cast<int>(state.range(0)));
  validate_all(state, message);
}
BENCHMARK(validate_dictionary)->Arg(16)->Arg(100)->Arg(10000)->Arg(1000000);

void validate_rows(benchmark::State& state) {
  base::buffer message;
  write_rows(message, static_cast<int>(state.range(0)));
  validate_all(state, message);
}
BENCHMARK(validate_rows)->Arg(1)->Arg(1000);

void validate_text(benchmark::State& state) {
  base::buffer message;
  writer to(message);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("text");
  std::string text;
  while (text.size() < 65536)
    text += state.range(0) ? "gr\xc3\xbc\xc3\x9f \xe2\x82\xac " : "plain text ";
  to.string(text);
  to.end();
  validate_all(state, message);
}
BENCHMARK(validate_text)->ArgName("non_ascii")->Arg(0)->Arg(1);

void encode_request(benchmark::State& state) {
  base::buffer out;
  for (auto _ : state) {
    out.clear();
    write_request(out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode_request);

void read_request(benchmark::State& state) {
  base::buffer message;
  write_request(message);
  for (auto _ : state) {
    benchmark::ClobberMemory();
    value top = root(message.view());
    benchmark::DoNotOptimize(top.find("name").string().size());
    benchmark::DoNotOptimize(top.find("count").to_int64());
    benchmark::DoNotOptimize(top.find("ratio").to_double());
    benchmark::DoNotOptimize(top.find("flag").to_bool());
    benchmark::DoNotOptimize(top.find("uuid").uuid().data());
  }
}
BENCHMARK(read_request);

}  // namespace

BENCHMARK_MAIN();
