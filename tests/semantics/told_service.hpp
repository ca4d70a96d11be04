#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "talk.hpp"

namespace semantics {

/// The service of the connection tests: what a message's "op" says it does. Runs in the process of
/// the test or in one of its own. A message without "op" is answered with its "n" plus one.
///
///   note        keeps n                          notes       {notes, peers, pid}
///   hold        keeps the request unanswered     answer      answers those; release: drops them
///   drop        nothing                          cancel      cancels the peer
///   block       returns after an unblock         unblock     from another connection
///   say         sends n messages back            ask         asks the sender, answers with that +
///   1 watch       events go to the sender          twice       tries for two replies who what was
///   known of the sender     remote      what get_remote_connection says seen        is it equal to
///   the one before    nice        of the handler's thread endpoint    of an anonymous listener
///   close-endpoint  cancels that one connect     n connections to "to", sum of the answers keep
///   keeps "endpoint"                 fetch       gives it to whoever asks suspend, resume, close
///   the listener
///
/// Watchers get {event, peer}: event is peer, invalid, interrupted, terminating, blocked,
/// connection.
class told_service {
 public:
  /// Sets the handler of an inactive listener (borrowed) and activates it.
  explicit told_service(xpc_connection_t listener);
  /// Cancels its listeners and waits until every peer has had its last event.
  ~told_service();
  told_service(const told_service&) = delete;

 private:
  struct peer_facts {
    std::int64_t number = 0;
    pid_t pid = 0;
    uid_t euid = 0;
    gid_t egid = 0;
    bool named = false;
  };
  void listen(xpc_connection_t listener);
  void welcome(xpc_connection_t peer);
  void told(xpc_connection_t peer, const peer_facts& facts, xpc_object_t event);
  void ended(const peer_facts& facts, xpc_connection_t peer);
  /// Fills the reply; false: there is to be none from here.
  bool act(const std::string& op, xpc_connection_t peer, const peer_facts& facts,
           xpc_object_t message, xpc_object_t reply);
  void watch(const char* event, std::int64_t peer);
  xpc_endpoint_t open_endpoint();
  void close_endpoint();
  void block(const peer_facts& facts);
  void ask_others(xpc_object_t message, xpc_object_t reply);

  xpc_connection_t listener_;
  xpc_connection_t anonymous_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> notes_;
  std::vector<talk::kept> held_, watchers_;
  talk::kept last_seen_, kept_endpoint_;
  std::int64_t peers_ = 0;
  int live_ = 0, listening_ = 0;
  bool open_ = false;
};

}  // namespace semantics
