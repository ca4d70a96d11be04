// A player: opens a door of her own, leaves it in the lobby, and answers whoever comes through it.
#include <xpc/xpc.hpp>

#include <iostream>

int main() {
  auto lobby = xpc::session::open("org.example.lobby");
  if (!lobby) return xpc::report(lobby.error());
  auto door =
      xpc::listener::anonymous({.on_request = [](const xpc::dictionary& move) { return move; }});
  if (!door) return xpc::report(door.error());
  auto left = lobby->call({{"name", "ann"}, {"endpoint", door->make_endpoint()}}).wait();
  if (!left) return xpc::report(left.error());
  std::cout << "ready" << std::endl;
  xpc::wait_for_termination();
}
