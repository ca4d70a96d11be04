// The client of echo.cpp.
#include <xpc/xpc.hpp>

#include <iostream>

int main(int argc, char** argv) {
  auto echo = xpc::connection::open("org.example.echo");
  if (!echo) return xpc::report(echo.error());  // prints reason and remedy, gives the exit code
  auto reply = echo->call({{"text", argc > 1 ? argv[1] : "hello"}, {"count", argc}}).wait();
  if (!reply) return xpc::report(reply.error());
  std::cout << reply->get<std::string>("text").value_or("(no text)") << '\n';
}
