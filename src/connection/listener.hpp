#pragma once

#include "connection/conversation.hpp"
#include "connection/door.hpp"
#include "connection/half_open.hpp"
#include "connection/handle.hpp"
#include "engine/registration.hpp"
#include "engine/timer.hpp"
#include "object/endpoint.hpp"

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace openxpc::connection {

/// Accepts clients and has each announced to the program once its first message is here (rule 119).
/// Threads: any.
class listener final : public announcer {
 public:
  /// What the program wants to be told. Calls never overlap; ended() is the last.
  class handlers : public base::counted {
   public:
    /// An inactive peer, lent for the call: the listener holds it until it is over (rule 121).
    virtual void peer(const base::ref<peer_object>& who) = 0;
    /// Somebody was turned away before it became a peer.
    virtual void refused(const error_ref&, const conversation::identity&) {}
    virtual void ended(const error_ref& why) = 0;
  };
  struct options {
    channel::settings limits;
    channel::when_full full = channel::when_full::report;
    openxpc_type_t peers = OPENXPC_TYPE_CONNECTION;
    /// Clients that have not said hello yet; more are refused until some have (threat T49).
    half_open::limits half_open_most;
  };
  static base::ref<listener> make(options how);

  /// Before activation: where clients come from. Any number.
  void add_socket(base::fd listening, held_by whom = held_by::service_manager);
  /// Before activation: it will end with this instead of listening.
  void set_failure(error_ref why);
  /// From now on every client is refused, because nobody can say whether it is who it must be; the
  /// program hears nothing of them. False when it was said before.
  bool require(error_ref why);
  void set_handlers(base::ref<handlers> told);
  void set_executor(base::ref<executor> where) { strand_.set_executor(std::move(where)); }
  base::ref<executor> where() const { return strand_.where(); }

  void activate();
  void suspend();
  void resume();
  unsigned suspends() const;
  bool active() const;
  bool over() const;
  error_ref ending() const;

  /// A new endpoint for it; its clients come in like all others. Null with errno when the system
  /// has no socket left.
  base::ref<object::endpoint> make_endpoint();

  /// Takes nobody any more; peers that were accepted live on (rule 124).
  void cancel(error_ref why);
  /// cancel(), and the peers too.
  void cancel_all(error_ref why);
  void abandon();
  /// Planned stop of the listener and all its peers; `done` once the last is over.
  void stop(base::function<void()> done);
  /// Blocks until no handler of it or of its peers runs.
  void wait_for_handlers();
  std::size_t peer_count() const;
  void announce_termination();

  void set_object(listener_object* lent);
  base::ref<listener_object> share_object() const;

  // announcer
  void greeted(conversation& peer) override;
  void announce(conversation& peer) override;
  void kick(bool here) override { strand_.kick(here); }
  void forget(conversation& peer) override;

  strand& deliveries() noexcept { return strand_; }

 private:
  friend class door;
  class peer_delivery;
  class ended_delivery;
  struct known_peer {
    base::ref<conversation> talk;
    base::ref<peer_object> object;
    uid_t user = 0;  ///< who connected
    bool greeted = false;
    bool announced = false;
  };

  explicit listener(options how) : how_(std::move(how)), half_open_(how_.half_open_most) {}
  ~listener() override;
  void accepted(base::fd client);
  void refuse(base::fd client, openxpc_error_code_t code, const char* text);
  std::vector<base::ref<conversation>> all_peers() const;
  base::ref<handlers> current_handlers() const;
  error_ref required() const;
  void close_doors();

  const options how_;
  strand strand_{this};
  mutable std::mutex mutex_;
  base::ref<handlers> handlers_;
  std::vector<base::ref<door>> doors_;
  std::unordered_map<conversation*, known_peer> peers_;
  half_open half_open_;
  std::size_t announced_ = 0;  // of peers_
  error_ref failure_;
  error_ref required_;  // what refused clients are told
  error_ref ending_;
  bool activated_ = false;
  bool over_ = false;
  bool stopping_ = false;
  unsigned suspends_ = 0;
  base::ref<object::endpoint> endpoint_;
  std::vector<base::function<void()>> on_empty_;
  listener_object* object_ = nullptr;
};

}  // namespace openxpc::connection
