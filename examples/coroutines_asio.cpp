// The same calls on an Asio loop. Service: prices.cpp.
#if defined(__clang__)  // Asio 1.22 offers coroutines to clang only when told so
#define ASIO_HAS_CO_AWAIT 1
#define ASIO_HAS_STD_COROUTINE 1
#endif
#include <xpc/interop/asio.hpp>
#include <xpc/xpc.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <iostream>

// The connection ends here, while the loop still runs what its end has to tell.
asio::awaitable<void> show(xpc::connection prices) {
  auto tea = prices.call({{"price-of", "tea"}});  // both leave now
  auto milk = prices.call({{"price-of", "milk"}});
  for (auto* call : {&tea, &milk}) {
    auto reply = co_await xpc::async_wait(std::move(*call), asio::use_awaitable);
    if (reply) std::cout << reply->get<double>("price").value_or(0) << '\n';
  }
}

int main() {
  asio::io_context io;
  auto prices = xpc::connection::open("org.example.prices",
                                      {.executor = xpc::asio_executor(io.get_executor())});
  if (!prices) return xpc::report(prices.error());
  asio::co_spawn(io, show(std::move(prices).value()), asio::detached);
  io.run();
}
