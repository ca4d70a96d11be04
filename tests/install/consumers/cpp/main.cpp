// A program as a user of the installed C++ API writes it: a service and its client in one process,
// talking from a coroutine.
#include <xpc/xpc.hpp>

#include <iostream>

xpc::result<xpc::dictionary> divide(const xpc::dictionary& question) {
  auto [a, b] = question.get<double, double>("a", "b").value();
  if (b == 0) return xpc::failure("org.example.calculator", 1, "division by zero");
  return {{"quotient", a / b}};
}

xpc::task<double> half_of_half(xpc::peer calculator, double number) {
  for (int i = 0; i < 2; ++i) {
    auto reply = co_await calculator.call({{"a", number}, {"b", 2}});
    number = reply.value().get<double>("quotient").value();
  }
  co_return number;
}

int main() {
  auto service = xpc::listener::anonymous({.on_request = divide});
  if (!service) return xpc::report(service.error());
  xpc::run_loop loop;
  auto client = xpc::session::open(service->make_endpoint(), {.executor = loop.executor()});
  if (!client) return xpc::report(client.error());
  auto quarter = loop.run(half_of_half(*client, 4));
  if (!quarter) return xpc::report(quarter.error());
  auto zero = client->call({{"a", 1}, {"b", 0}}).wait();
  if (zero || zero.error().number() != 1) return 1;
  std::cout << *quarter << '\n';
  return *quarter == 1 ? 0 : 1;
}
