#pragma once

#include "control/verbs.hpp"
#include "domain/directory.hpp"

#include <asio/io_context.hpp>

#include <memory>

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
  /// Takes no more requests, lets the answers in hand leave, then calls `closed` on the loop. Once.
  void close(base::function<void()> closed);

 private:
  std::shared_ptr<service_state> state_;
};

}  // namespace openxpc::control
