// A service that answers some requests late, for coroutines.cpp: coffee takes longer than its
// client waits, everything takes for ever.
#include <xpc/xpc.hpp>

using namespace std::chrono_literals;

xpc::task<xpc::dictionary> price(const xpc::dictionary& request) {
  auto name = request.get<std::string>("price-of").value();
  if (name == "everything")
    (co_await xpc::this_task::sleep(24h)).value();  // ends early when the caller cancels
  if (name == "coffee")
    (co_await xpc::this_task::sleep(24h)).value();  // or when it no longer waits
  if (name == "nothing")
    co_return xpc::failure(xpc::errc::invalid_argument, "nothing has no price");
  co_return {{"price", name == "tea" ? 2.5 : 1.25}};
}

int main() { return xpc::serve("org.example.prices", price); }
