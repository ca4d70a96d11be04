// Service and client in one test: no service manager, no name.
#include <xpc/xpc.hpp>

#undef NDEBUG
#include <cassert>

xpc::result<xpc::dictionary> divide(const xpc::dictionary& q) {  // the code under test
  auto [a, b] = q.get<double, double>("a", "b").value();
  if (b == 0) return xpc::failure("org.example.calculator", 1, "division by zero");
  return {{"quotient", a / b}};
}

int main() {
  auto service = xpc::listener::anonymous({.on_request = divide}).value();
  auto client = xpc::session::open(service.make_endpoint()).value();

  assert(client.call({{"a", 6}, {"b", 3}}).wait().value() == (xpc::dictionary{{"quotient", 2.0}}));
  auto zero = client.call({{"a", 1}, {"b", 0}}).wait();
  assert(zero.error().domain() == "org.example.calculator" && zero.error().number() == 1);
  auto wrong = client.call({{"a", "six"}, {"b", 3}}).wait();
  assert(wrong.error() == xpc::errc::wrong_type);  // "a: expected double, found string"
}
