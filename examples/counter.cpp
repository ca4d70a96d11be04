// Streams in which nothing may be lost. A generator runs on only while its reader has credit; a
// writer with policy wait does the same by hand.
#include <xpc/xpc.hpp>

xpc::generator<xpc::dictionary> count_to(std::int64_t last) {
  for (std::int64_t n = 1; n <= last; ++n) co_yield {{"n", n}};
}

xpc::task<> feed(xpc::subscription s) {
  auto rows = std::move(s).accept({.policy = xpc::when_full::wait});
  for (int n = 0; !rows.stop_token().stop_requested(); ++n)
    (co_await rows.send({{"n", n}})).value();
}

int main() {
  // The same by hand, until the reader leaves: a second name, or a second listener.
  auto endless = xpc::listener::anonymous({.on_subscribe = feed});
  if (!endless) return xpc::report(endless.error());
  return xpc::serve("org.example.counter",
                    {
                        .on_request =
                            [&](const xpc::dictionary&) {
                              return xpc::dictionary{{"endless", endless->make_endpoint()}};
                            },
                        .on_subscribe =
                            [](const xpc::dictionary& q) {
                              return count_to(q.get<std::int64_t>("last").value());
                            },
                    });
}
