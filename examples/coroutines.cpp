// Several calls at once, a timeout, a cancellation, on a loop of the program's own. Service:
// prices.cpp.
#include <xpc/xpc.hpp>

#include <iostream>

using namespace std::chrono_literals;

xpc::task<double> total(xpc::peer prices, std::vector<std::string> names) {
  std::vector<xpc::pending<xpc::dictionary>> calls;  // all under way at once
  for (auto& name : names) calls.push_back(prices.call({{"price-of", name}}, {.timeout = 2s}));
  double sum = 0;
  for (auto& call : calls) {
    auto reply = co_await call;                                     // result<dictionary>
    if (!reply && reply.error() == xpc::errc::timed_out) continue;  // the slow ones do not count
    sum += reply.value().get<double>("price").value();  // any other failure ends the task with it
  }
  co_return sum;
}

int main() {
  xpc::run_loop loop;
  auto prices = xpc::connection::open("org.example.prices", {.executor = loop.executor()});
  if (!prices) return xpc::report(prices.error());
  auto sum = loop.run(total(*prices, {"tea", "coffee", "milk"}));
  if (!sum) return xpc::report(sum.error());
  std::cout << *sum << '\n';

  std::stop_source user;  // reaches the service as a cancellation
  auto slow = prices->call({{"price-of", "everything"}},
                           {.stop = user.get_token(), .timeout = xpc::no_timeout});
  user.request_stop();
  std::cout << slow.wait().error().message() << '\n';
}
