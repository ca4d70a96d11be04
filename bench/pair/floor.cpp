#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "sockets.hpp"
#include "work.hpp"

// What the kernel alone costs: one packet a message, no types, no ids, no credit, nobody trusted or
// distrusted.
namespace pair_bench {
namespace {

constexpr std::size_t message_bytes = 128;  // about what the five keys take
constexpr std::size_t piece_bytes = 200'000;

struct packet {
  std::uint32_t what;
  std::uint32_t unused;
  std::uint64_t number;
  char filling[message_bytes - 16];
};

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void send_all(int to, const void* bytes, std::size_t size) {
  if (::send(to, bytes, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) give_up("send");
}

/// One connection, blocking: each request is answered where it is read.
void serve_one(int client) {
  std::vector<char> buffer(piece_bytes);
  packet p{};
  std::uint64_t open_bulk = 0;
  for (;;) {
    ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    if (open_bulk > 0) {
      open_bulk -= static_cast<std::uint64_t>(got);
      if (open_bulk == 0) send_all(client, &p, sizeof p);
      continue;
    }
    std::memcpy(&p, buffer.data(), std::min(sizeof p, static_cast<std::size_t>(got)));
    switch (static_cast<job>(p.what)) {
      case job::rows:
        for (std::uint64_t n = 0, count = p.number; n < count; ++n) {
          p.number = n;
          send_all(client, &p, sizeof p);
        }
        break;
      case job::bulk:
        open_bulk = p.number;
        break;
      default:
        ++p.number;
        send_all(client, &p, sizeof p);
    }
  }
  ::close(client);
}

double drive_rows(int to, std::uint64_t count) {
  packet p{};
  p.what = static_cast<std::uint32_t>(job::rows);
  p.number = count;
  auto begin = std::chrono::steady_clock::now();
  send_all(to, &p, sizeof p);
  for (std::uint64_t n = 0; n < count; ++n)
    if (::recv(to, &p, sizeof p, 0) != sizeof p || p.number != n) give_up("rows out of order");
  return since(begin);
}

void call_once(int to, std::uint64_t n) {
  packet p{};
  p.number = n;
  send_all(to, &p, sizeof p);
  if (::recv(to, &p, sizeof p, 0) != sizeof p || p.number != n + 1) give_up("wrong reply");
}

}  // namespace

void serve_floor(int control_fd) {
  door d = open_door();
  pass_descriptor(control_fd, d.path);
  std::thread([d] {
    for (;;) {
      int client = ::accept4(d.listening, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) std::thread(serve_one, client).detach();
    }
  }).detach();
  char byte;
  (void)!::read(control_fd, &byte, 1);  // until the report goes away
}

double drive_floor(int control_fd, const order& what) {
  static const int path = take_descriptor(control_fd);
  if (what.what == job::connect) {
    auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t n = 0; n < what.count; ++n) {
      int to = connect_through(path);
      call_once(to, n);
      ::close(to);
    }
    return since(begin);
  }
  if (what.what == job::crowd) {
    std::vector<std::thread> clients;
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < crowd_clients; ++i)
      clients.emplace_back([&] {
        int to = connect_through(path);
        for (std::uint64_t n = 0; n < what.count / crowd_clients; ++n) call_once(to, n);
        ::close(to);
      });
    for (auto& each : clients) each.join();
    return since(begin);
  }
  static const int to = connect_through(path);
  if (what.what == job::rows) return drive_rows(to, what.count);
  auto begin = std::chrono::steady_clock::now();
  if (what.what == job::bulk) {
    std::vector<char> block(what.size, 1);
    for (std::uint64_t n = 0; n < what.count; ++n) {
      packet p{};
      p.what = static_cast<std::uint32_t>(job::bulk);
      p.number = what.size;
      send_all(to, &p, sizeof p);
      for (std::size_t at = 0; at < block.size(); at += piece_bytes)
        send_all(to, block.data() + at, std::min(piece_bytes, block.size() - at));
      if (::recv(to, &p, sizeof p, 0) != sizeof p) give_up("no acknowledgement");
    }
    return since(begin);
  }
  std::uint64_t depth = what.what == job::pipeline ? pipeline_depth : 1;
  packet p{};
  std::uint64_t sent = 0;
  for (std::uint64_t got = 0; got < what.count; ++got) {
    for (; sent < what.count && sent < got + depth; ++sent) {
      p = {};
      p.number = sent;
      send_all(to, &p, sizeof p);
    }
    if (::recv(to, &p, sizeof p, 0) != sizeof p || p.number != got + 1) give_up("wrong reply");
  }
  return since(begin);
}

}  // namespace pair_bench
