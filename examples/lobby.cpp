// Brings players together: whoever has a door leaves it here under a name; whoever asks for a name
// is asked back whether it is serious, and then gets the door. The two go on without the lobby.
#include <xpc/xpc.hpp>

#include <map>
#include <mutex>

struct lobby {
  std::mutex mutex;
  std::map<std::string, xpc::endpoint, std::less<>> players;

  xpc::task<xpc::dictionary> answer(xpc::request q) {
    auto name = q.get<std::string>("name").value();
    if (auto door = q.get<std::optional<xpc::endpoint>>("endpoint").value()) {
      std::scoped_lock lock(mutex);
      players.insert_or_assign(name, *door);
      co_return {};
    }
    auto sure = co_await q.sender().call(
        {{"ask", "Really " + name + "?"}});  // the other way on the same connection
    if (!sure.value().get<bool>("yes").value()) co_return xpc::failure("never mind");
    std::scoped_lock lock(mutex);
    auto it = players.find(name);
    if (it == players.end()) co_return xpc::failure("no player of that name");
    co_return {{"endpoint", it->second}};
  }
};

int main() {
  lobby here;
  return xpc::serve("org.example.lobby",
                    {.on_request = [&](xpc::request q) { return here.answer(std::move(q)); }});
}
