// Subscribes to board.cpp, pins what the command line says, and reads it back from the live stream.
#include <xpc/xpc.hpp>

#include <iostream>

int main(int argc, char** argv) {
  auto board = xpc::session::open("org.example.board");
  if (!board) return xpc::report(board.error());
  auto live = board->subscribe({{"op", "live"}}, {.credit_bytes = 256 << 10});
  for (int i = 1; i < argc; ++i) {
    auto pinned = board->call({{"op", "pin"}, {"notice", argv[i]}}).wait();
    if (!pinned) return xpc::report(pinned.error());
  }
  for (int i = 1; i < argc; ++i) {
    auto row = live.next().wait();  // or co_await live.next()
    if (!row) return xpc::report(row.error());
    if (row->missed) std::cout << "missed " << row->missed << " notices\n";
    auto notice = row->value.get<std::string>("notice").value();
    std::cout << row->sequence << ' ' << notice << '\n';
  }
}
