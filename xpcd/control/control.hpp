#pragma once

#include "control/verbs.hpp"
#include "domain/directory.hpp"

#include <asio/io_context.hpp>

#include <memory>

#include "handover/handover.hpp"

namespace openxpc::control {

struct service_state;

/// The control interface as an XPC service of the domain's `.control` socket. Its handlers run on
/// xpcd's loop. Services use it too, over the connection they are born with.
class service {
 public:
  /// All must outlive it.
  service(asio::io_context& loop, domain::directory& directory, supervise::supervisor& jobs,
          bundle::applications& applications);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Binds the socket and begins to answer.
  failure_of open();
  /// The same with what hand_over() gave.
  failure_of resume(xpc_object_t given, handover::incoming& in);
  void hand_over(xpc_object_t into, handover::outgoing& out) const;
  /// What verbs about xpcd itself ask; nullptr: nobody. It is lent.
  void set_manager(manager* about);
  /// Ends all conversations, what they have accepted answered: for verbs that are not done yet the
  /// answer is to ask again. New ones wait. Then `paused`, on the loop, at the latest after a
  /// while.
  void pause(base::function<void()> paused);
  /// Goes on after pause().
  failure_of go_on();
  /// Takes no more requests, lets the answers in hand leave, then calls `closed` on the loop. Once.
  void close(base::function<void()> closed);

 private:
  failure_of listen(base::fd socket);
  std::shared_ptr<service_state> state_;
};

}  // namespace openxpc::control
