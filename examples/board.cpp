// A notice board: what one client pins, every subscriber reads. One that is too slow loses the
// oldest notices and is told how many. The archive is a generator, which runs on only while its
// reader has credit, so there nothing is lost.
#include <xpc/xpc.hpp>

#include <atomic>

int main() {
  xpc::broadcast<xpc::dictionary> live;  // drops the oldest for whoever is slow, and counts
  std::atomic<int> count = 0;
  return xpc::serve(
      "org.example.board",
      {
          .on_request = [&](const xpc::dictionary& q) -> xpc::result<xpc::dictionary> {
            auto op = q.get<std::string>("op").value();  // missing: the caller reads which key
            if (op != "pin") return xpc::failure(xpc::errc::unknown_method, op);
            auto notice = q.get<std::string>("notice").value();
            live.send({{"notice", notice}});
            return {{"count", ++count}};
          },
          .on_subscribe =
              [&](xpc::subscription s) { live.add(std::move(s), {.buffer_bytes = 4 << 20}); },
      });
}
