// What objects cost: building, sending, receiving and reading the request of the performance page,
// and looking up keys of a large received dictionary.
#include "object/codec.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

#include <benchmark/benchmark.h>

#include <string>

using namespace openxpc;
using namespace openxpc::object;

namespace {

constexpr std::byte some_uuid[16] = {};

ref<dictionary> request() {
  auto it = dictionary::create();
  it->set("name", string::copy_of("0123456789abcdef0123456789abcdef"));
  it->set("count", make_int64(123456));
  it->set("ratio", make_double(0.5));
  it->set("flag", ref<openxpc::object::object>::adopt(the_bool(true)));
  it->set("uuid", base::make_ref<uuid>(std::span<const std::byte, 16>(some_uuid)));
  return it;
}

base::buffer encoded(const dictionary& from) {
  base::buffer out;
  attachments none;
  encode(from, out, none);
  return out;
}

void build(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(request());
}
BENCHMARK(build);

void encode_built(benchmark::State& state) {
  auto it = request();
  base::buffer out;
  attachments none;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(encode(*it, out, none));
  }
}
BENCHMARK(encode_built);

void receive_and_read(benchmark::State& state) {
  auto bytes = encoded(*request());
  for (auto _ : state) {
    std::optional<wire::malformed> fault;
    auto got = decode(bytes.view(), {}, wire::mode::local, fault);
    auto sum = got->find("name").to_string().size() + got->find("count").to_bits() +
               got->find("ratio").to_bits() + got->find("flag").to_bool() +
               std::to_integer<unsigned>(*got->find("uuid").to_uuid());
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(receive_and_read);

void forward_received(benchmark::State& state) {
  std::optional<wire::malformed> fault;
  auto got = decode(encoded(*request()).view(), {}, wire::mode::local, fault);
  base::buffer out;
  attachments none;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(encode(*got, out, none));
  }
}
BENCHMARK(forward_received);

void find_in_large(benchmark::State& state) {
  auto it = dictionary::create();
  std::vector<std::string> keys;
  for (int i = 0; i < state.range(0); ++i) {
    keys.push_back("key" + std::to_string(1000000 + i));
    it->set(keys.back(), make_int64(i));
  }
  std::optional<wire::malformed> fault;
  auto got = decode(encoded(*it).view(), {}, wire::mode::local, fault);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(got->find(keys[next]).to_bits());
    next = next + 1 == keys.size() ? 0 : next + 1;
  }
}
BENCHMARK(find_in_large)->Arg(8)->Arg(100)->Arg(100'000);

}  // namespace

BENCHMARK_MAIN();
