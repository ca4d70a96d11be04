// Reads both streams of counter.cpp: one to its end, the other until it has had enough.
#include <xpc/xpc.hpp>

#include <iostream>

int main() {
  auto counter = xpc::session::open("org.example.counter");
  if (!counter) return xpc::report(counter.error());
  std::int64_t sum = 0;
  auto rows = counter->subscribe({{"last", 100'000}});
  while (auto row = rows.next().wait()) sum += row->value.get<std::int64_t>("n").value();
  if (auto end = rows.outcome(); !end) return xpc::report(end.error());
  std::cout << sum << '\n';

  auto there = counter->call({}).wait();
  if (!there) return xpc::report(there.error());
  auto endless = xpc::session::open(there->get<xpc::endpoint>("endless").value()).value();
  auto more = endless.subscribe({});
  for (std::uint64_t expected = 0; expected < 1000; ++expected) {
    auto row = more.next().wait();
    if (!row) return xpc::report(row.error());
    if (row->missed || row->value.get<std::uint64_t>("n").value() != expected) return 1;
  }
}
