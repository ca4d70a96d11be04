// Another player: asks the lobby for Ann, says yes when asked back, and then talks to her directly.
#include <xpc/xpc.hpp>

#include <iostream>

int main() {
  auto lobby = xpc::session::open("org.example.lobby", {.on_request = [](const xpc::dictionary&) {
                                    return xpc::dictionary{{"yes", true}};
                                  }});
  if (!lobby) return xpc::report(lobby.error());
  auto found = lobby->call({{"name", "ann"}}).wait();
  if (!found) return xpc::report(found.error());
  auto ann = xpc::session::open(found->get<xpc::endpoint>("endpoint").value())
                 .value();  // straight, without the lobby
  auto reply = ann.call({{"move", "e4"}}).wait();
  if (!reply) return xpc::report(reply.error());
  std::cout << reply->get<std::string>("move").value() << '\n';
}
