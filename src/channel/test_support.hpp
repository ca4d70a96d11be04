#pragma once

#include "channel/channel.hpp"
#include "channel/greeting.hpp"
#include "channel/loopback/loopback_transport.hpp"
#include "channel/ring/ring_transport.hpp"
#include "channel/socket/socket_transport.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

// What the channel's tests share: a sink that remembers, and pairs of channels over each wire.
namespace openxpc::channel::testing {

inline constexpr std::chrono::seconds patience{20};

inline base::instant soon(std::chrono::nanoseconds from_now = patience) {
  return base::from_now(from_now);
}

/// What a caller waits with: a waiter and the answer.
struct pending_call : base::counted {
  waiter who;
  std::string answer;
  kind what = kind::reply;
  bool answered = false, not_taken = false;
  std::optional<fate> lost;
};

/// One thing that arrived, in a form that outlives the call.
struct kept {
  kind what;
  std::uint64_t id;
  std::string body;
  std::size_t attachments;
  bool lost_attachments, not_taken;
  std::optional<std::uint64_t> deadline, sequence;
  charge held;
};

/// A sink that remembers everything and lets tests wait for it. `on_arrival` (set before attach)
/// may answer.
class recorder : public sink {
 public:
  base::ref<channel> line;
  std::function<void(recorder&, arrival&)> on_arrival;
  std::function<void(const closing&)> on_not_opened;
  std::function<void()> on_closed;
  bool keep_charges = false;  ///< do not let go of what arrives

  void opened(const peer_info& peer) override {
    change([&] {
      peer_pid = peer.pid;
      ++opened_count;
    });
  }
  void not_opened(const closing& how) override {
    change([&] { not_opened_with.push_back(how); });
    if (on_not_opened) on_not_opened(how);
  }
  void arrived(arrival&& what) override {
    auto* call = dynamic_cast<pending_call*>(what.context.get());
    const bool final_answer = what.what == kind::reply || what.what == kind::failure;
    if (on_arrival) on_arrival(*this, what);
    kept one{what.what,
             what.id,
             std::string(base::as_text(what.body)),
             what.attachments.size(),
             what.lost_attachments,
             what.not_taken,
             what.deadline,
             what.sequence,
             what.held};
    change([&] {
      if (call && final_answer) {
        call->answer = one.body;
        call->what = what.what;
        call->not_taken = what.not_taken;
        call->answered = true;
      }
      things.push_back(std::move(one));
    });
    if (call && final_answer) line->finish(call->who);
    if (!keep_charges && line) line->let_go(what.held);
  }
  void answers_left() override {
    change([&] { ++answers_left_count; });
  }
  void writable(std::uint64_t id) override {
    change([&] { ++writable_count[id]; });
  }
  void unanswered(base::ref<base::counted> context, std::uint64_t, fate how) override {
    auto* call = dynamic_cast<pending_call*>(context.get());
    change([&] {
      if (call) call->lost = how;
      lost.push_back(how);
    });
    if (call) line->finish(call->who);
  }
  void drained() override {
    change([&] { ++drained_count; });
  }
  void closed(const closing& how) override {
    if (on_closed) on_closed();
    change([&] {
      ++closed_count;
      end = how;
    });
  }
  void role_given_up(bool) override {
    change([&] { ++batches; });
  }

  /// Waits until `what` holds (looked at under the lock); false after patience.
  bool until(const std::function<bool()>& what) {
    std::unique_lock hold(lock_);
    return changed_.wait_for(hold, patience, what);
  }
  bool until_closed() {
    return until([&] { return closed_count > 0; });
  }
  bool until_things(std::size_t count) {
    return until([&] { return things.size() >= count; });
  }
  template <class F>
  auto look(F&& at) {
    std::lock_guard hold(lock_);
    return at();
  }

  std::vector<kept> things;
  std::vector<closing> not_opened_with;
  std::vector<fate> lost;
  std::map<std::uint64_t, int> writable_count;
  int answers_left_count = 0;
  int opened_count = 0, closed_count = 0, drained_count = 0, batches = 0;
  std::int32_t peer_pid = 0;
  closing end;

 private:
  template <class F>
  void change(F&& how) {
    {
      std::lock_guard hold(lock_);
      how();
    }
    changed_.notify_all();
  }
  std::mutex lock_;
  std::condition_variable changed_;
};

/// One end of a conversation.
struct party {
  base::ref<recorder> heard = base::make_ref<recorder>();
  base::ref<channel> line;

  sent say(kind what, std::string_view text, std::uint64_t id = 0, extensions extra = {}) {
    outgoing out;
    out.what = what;
    out.id = id;
    out.body = base::as_bytes(text);
    out.extra = extra;
    return line->send(std::move(out));
  }
  sent ask(std::string_view text, base::ref<pending_call> call) {
    outgoing out;
    out.what = kind::request;
    out.body = base::as_bytes(text);
    out.context = call;
    return line->send(std::move(out));
  }
  /// A whole synchronous call; the answer, or what went wrong in angle brackets.
  std::string call(std::string_view text, base::instant deadline = soon()) {
    auto pending = base::make_ref<pending_call>();
    const sent how = ask(text, pending);
    if (!how.taken()) return "<not sent>";
    switch (line->wait(pending->who, deadline)) {
      case waited::timed_out:
        line->withdraw(how.id, cancel_reason::timed_out, true);
        return "<timed out>";
      case waited::closed:
        if (!pending->answered) return "<closed>";
        break;
      case waited::finished:
        break;
    }
    if (pending->lost) return "<lost>";
    return pending->answer;
  }
};

/// `ring`: a socket that has its shortcut from the first packet on.
enum class wire { socket, loopback, ring };

inline std::string name_of_wire(const ::testing::TestParamInfo<wire>& info) {
  return info.param == wire::socket ? "socket" : info.param == wire::ring ? "ring" : "loopback";
}

/// The client's and the server's.
inline std::pair<std::unique_ptr<transport>, std::unique_ptr<transport>> wire_pair(wire which) {
  if (which == wire::loopback) return loopback_pair();
  socket_pair both = new_socket_pair();
  auto one = socket_transport(std::move(both.one)), other = socket_transport(std::move(both.other));
  if (which == wire::socket) return {std::move(one), std::move(other)};
  one = ring_transport(std::move(one));
  other = ring_transport(std::move(other));
  one->allow_shortcut();
  other->allow_shortcut();
  other->offer_shortcut();
  return {std::move(one), std::move(other)};
}

/// A server and a client. The server answers a request "x" with "re:x" unless told otherwise.
struct conversation {
  party server, client;

  explicit conversation(wire which, settings of_server = {}, settings of_client = {},
                        bool attach = true) {
    server.line = channel::make(side::accepting, of_server, server.heard);
    client.line = channel::make(side::connecting, of_client, client.heard);
    server.heard->line = server.line;
    client.heard->line = client.line;
    server.heard->on_arrival = echo;
    if (!attach) return;
    connect(wire_pair(which));
  }
  ~conversation() {
    client.line->cancel("over");
    server.line->cancel("over");
    EXPECT_TRUE(client.heard->until_closed());
    EXPECT_TRUE(server.heard->until_closed());
    EXPECT_EQ(client.heard->look([&] { return client.heard->closed_count; }), 1);
    client.heard->line = server.heard->line = nullptr;
  }
  void connect(std::pair<std::unique_ptr<transport>, std::unique_ptr<transport>> wires) {
    client.line->attach(std::move(wires.first));
    server.line->attach(std::move(wires.second));
  }
  static void echo(recorder& at, arrival& what) {
    if (what.what != kind::request) return;
    const std::string answer = "re:" + std::string(base::as_text(what.body));
    outgoing out;
    out.what = kind::reply;
    out.id = what.id;
    out.body = base::as_bytes(answer);
    at.line->send(std::move(out));
  }
};

inline int open_descriptors() {
  int count = 0;
  for (int each = 0; each < 1024; ++each)
    if (::fcntl(each, F_GETFD) >= 0) ++count;
  return count;
}

}  // namespace openxpc::channel::testing
