#include <xpc/xpc.hpp>

#include <unistd.h>

#include <chrono>
#include <deque>
#include <thread>
#include <vector>

#include "sockets.hpp"
#include "work.hpp"

// The same jobs as a user would write them in C++.
namespace pair_bench {
namespace {

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

xpc::dictionary question(std::int64_t n) {
  static constexpr xpc::uuid id({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  return {{"name", "a name of thirty-two characters."},
          {"count", n},
          {"ratio", 0.5},
          {"flag", true},
          {"uuid", id}};
}

/// Reads each of the five keys, as a service does.
xpc::result<xpc::dictionary> answer(const xpc::dictionary& q) {
  auto [name, count, ratio, flag, id] =
      q.get<std::string_view, std::int64_t, double, bool, xpc::uuid>("name", "count", "ratio",
                                                                     "flag", "uuid")
          .value();
  if (name.size() != 32 || ratio != 0.5 || !flag)
    return xpc::failure("the question was changed on its way");
  return xpc::dictionary{{"status", count + 1}};
}

void call_once(const xpc::peer& to, std::int64_t n) {
  auto reply = to.call(question(n)).wait();
  if (!reply || reply->get<std::int64_t>("status").value_or(0) != n + 1) give_up("wrong reply");
}

xpc::session open(const xpc::endpoint& at) {
  auto made =
      xpc::session::open(at, {.limits = {.message_bytes = 256 << 20, .unsent_bytes = 256 << 20}});
  if (!made) give_up("open");
  return *std::move(made);
}

}  // namespace

void serve_ours(int control_fd) {
  auto listener = xpc::listener::anonymous({
      .limits = {.message_bytes = 256 << 20, .unsent_bytes = 256 << 20},
      .on_request = [](const xpc::dictionary& q) -> xpc::result<xpc::dictionary> {
        if (!q.contains("data")) return answer(q);
        auto bytes = q.get<std::span<const std::byte>>("data").value();
        unsigned sum = 0;
        for (std::size_t at = 0; at < bytes.size(); at += 4096)
          sum += std::to_integer<unsigned>(bytes[at]);
        return xpc::dictionary{{"status", sum}};
      },
      .on_subscribe =
          [](xpc::subscription who) {
            auto count = who.get<std::int64_t>("count").value();
            auto rows = std::move(who).accept({.policy = xpc::when_full::wait});
            for (std::int64_t n = 0; n < count; ++n)
              if (!rows.send(
                           {{"n", n}, {"path", "/usr/include/linux/errno.h"}, {"kind", "modified"}})
                       .wait())
                return;
          },
  });
  if (!listener) give_up("listener");
  auto door = listener->make_endpoint();
  int path = openxpc_endpoint_dup_fd(door.native_handle());
  pass_descriptor(control_fd, path);
  char byte;
  (void)!::read(control_fd, &byte, 1);
}

double drive_ours(int control_fd, const order& what) {
  static const xpc::endpoint door = [&] {
    xpc_endpoint_t made = openxpc_endpoint_create_from_fd(take_descriptor(control_fd));
    if (!made) give_up("endpoint");
    auto wrapped = xpc::endpoint::from_native(made);
    xpc_release(made);
    return *std::move(wrapped);
  }();
  if (what.what == job::connect) {
    auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t n = 0; n < what.count; ++n)
      call_once(open(door), static_cast<std::int64_t>(n));
    return since(begin);
  }
  if (what.what == job::crowd) {
    std::vector<std::thread> clients;
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < crowd_clients; ++i)
      clients.emplace_back([&] {
        auto to = open(door);
        for (std::uint64_t n = 0; n < what.count / crowd_clients; ++n)
          call_once(to, static_cast<std::int64_t>(n));
      });
    for (auto& each : clients) each.join();
    return since(begin);
  }
  static const xpc::session to = open(door);
  auto begin = std::chrono::steady_clock::now();
  switch (what.what) {
    case job::rows: {
      auto rows = to.subscribe({{"count", what.count}});
      std::int64_t next = 0;
      while (auto row = rows.next().wait())
        if (row->missed || row->value.get<std::int64_t>("n").value() != next++)
          give_up("rows out of order");
      if (next != static_cast<std::int64_t>(what.count)) give_up("rows are missing");
      break;
    }
    case job::bulk: {
      std::vector<std::byte> block(what.size, std::byte{1});
      for (std::uint64_t n = 0; n < what.count; ++n)
        if (!to.call({{"data", block}}).wait()) give_up("no acknowledgement");
      break;
    }
    case job::pipeline: {
      std::deque<xpc::pending<xpc::dictionary>> calls;
      std::uint64_t sent = 0;
      for (std::uint64_t got = 0; got < what.count; ++got) {
        for (; sent < what.count && sent < got + pipeline_depth; ++sent)
          calls.push_back(to.call(question(static_cast<std::int64_t>(sent))));
        auto reply = calls.front().wait();
        calls.pop_front();
        if (!reply ||
            reply->get<std::int64_t>("status").value() != static_cast<std::int64_t>(got + 1))
          give_up("wrong reply");
      }
      break;
    }
    default:
      for (std::uint64_t n = 0; n < what.count; ++n) call_once(to, static_cast<std::int64_t>(n));
  }
  return since(begin);
}

}  // namespace pair_bench
