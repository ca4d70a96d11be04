#pragma once

#include "base/mutex.hpp"
#include "channel/channel.hpp"
#include "connection/call.hpp"
#include "connection/dialer.hpp"
#include "connection/encoded.hpp"
#include "connection/executor.hpp"
#include "connection/incoming.hpp"
#include "connection/state.hpp"
#include "connection/strand.hpp"
#include "engine/timer.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace openxpc::connection {

class writer;
class reader;
class peer_object;

/// What the program wants to be told of a conversation. Calls never overlap; ended() is the last.
class handlers : public base::counted {
 public:
  /// A message or a request (it has a right then).
  virtual void received(base::ref<incoming> what) = 0;
  virtual void subscribed(base::ref<incoming> what) = 0;
  /// Connections that come back: the other side's state is gone.
  virtual void interrupted(const error_ref& why) = 0;
  /// This process has been asked to end (peers of a listener).
  virtual void terminating() {}
  virtual void ended(const error_ref& why) = 0;
};

/// Somebody who has an accepted conversation announced before its handlers run: the listener.
class announcer : public base::counted {
 public:
  /// The hellos are exchanged: the peer is no longer half open.
  virtual void greeted(conversation& peer) = 0;
  /// The first frame of a new peer is here. Called under the reader role: queue only.
  virtual void announce(conversation& peer) = 0;
  /// The role was given up: run what was queued.
  virtual void kick(bool here) = 0;
  /// The peer is over and its last handler has been queued.
  virtual void forget(conversation& peer) = 0;
};

/// One conversation with one other process, through as many channels as it takes. See state.hpp for
/// its life. Threads: any member from any thread; none blocks but call::wait().
class conversation final : public channel::sink {
 public:
  struct options {
    bool comes_back = false;
    channel::settings limits;
    /// What a send does at limits.unsent_bytes.
    channel::when_full full = channel::when_full::report;
    bool from_endpoint = false;         ///< clients that came by an endpoint
    base::ref<dialer> way;              ///< clients
    base::ref<announcer> announced_by;  ///< peers of a listener
  };
  static base::ref<conversation> make(options how);

  /// Sets or replaces; on a live conversation from the next delivery on (rule 83).
  void set_handlers(base::ref<handlers> told);
  /// Before activation.
  void set_executor(base::ref<executor> where) { strand_.set_executor(std::move(where)); }
  base::ref<executor> where() const { return strand_.where(); }

  /// Looks the name up and opens the gate: handlers run and messages leave from now on. Once.
  void activate();
  /// Closes the gate, counted; a running handler finishes (rule 53).
  void suspend();
  void resume();
  bool active() const;
  /// How a client finds the other side; null for peers of a listener.
  dialer* way() const noexcept { return how_.way.get(); }
  bool is_from_endpoint() const noexcept { return how_.from_endpoint; }
  unsigned suspends() const;

  /// The accepted socket of a peer of a listener.
  void accept(std::unique_ptr<channel::transport> wire);

  /// Null, or why it was not taken.
  error_ref send(object::dictionary& message);
  /// The call's outcome tells everything.
  base::ref<call> request(object::dictionary& message, base::instant deadline,
                          call::progress told = {});
  base::ref<reader> subscribe(object::dictionary& message, std::uint64_t credit_bytes,
                              base::instant accept_by);
  /// Calls `then` when all that was queued before has left or been dropped; error when the
  /// conversation is over.
  void barrier(base::function<void()> then);
  /// The same, but runs `block` where handlers run, and sends no message or request of the program
  /// until it has returned (rule 103). Answers leave all the same: they are outside the order (rule
  /// 85), and whoever waits for one may be the one the block waits for.
  void run_alone(base::function<void()> block);
  /// send(), but waits its turn when there is no room.
  void send_when_ready(object::dictionary& message, base::function<void(error_ref)> done);

  /// Ends it now. `reason` is what the invalidation reason says.
  void cancel(error_ref reason);
  /// A listener does not want this client: it reads why, and it is over.
  void refuse(error_ref reason);
  /// A listener's handler has returned: where it has cancelled the peer instead of activating it,
  /// nobody will, and the end is handled now.
  void end_if_turned_away();
  /// The program let go of the object without cancelling: ends it without a word.
  void abandon();
  /// Ends it in order: what is queued leaves first.
  void close(base::function<void()> done);
  /// Planned stop: takes nothing new, handles what was accepted, answers, then ends.
  void stop();
  void announce_termination();

  bool over() const;
  /// over(), but a fork alone does not make it so: for telling misuse.
  bool ended() const;
  /// This side has ended it, by cancel() or refuse().
  bool is_cancelled() const;
  /// Why it is over, or null.
  error_ref ending() const;
  base::ref<channel::channel> current_channel() const;
  strand& deliveries() noexcept { return strand_; }

  /// The object that stands for this conversation; set once by it. share_object() is null once the
  /// program has let go.
  void set_object(peer_object* lent);
  base::ref<peer_object> share_object() const;

  /// Who the other side is, as of the last hello.
  struct identity {
    bool known = false;
    std::int32_t pid = 0;
    std::uint32_t euid = 0, egid = 0;
    std::uint64_t instance = 0;
  };
  identity who() const;
  base::fd copy_pidfd() const;
  channel::counters count() const;
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  // --- for the parts of a conversation (calls, rights, readers, writers) ---

  /// Runs `work` on `where`, or without one on an engine thread, soon; inside a sink call only
  /// after the role is given up.
  void run_soon(base::function<void()> work, const base::ref<executor>& where);
  struct transmitted {
    error_ref failure;
    std::uint64_t id = 0;
    base::ref<channel::channel> over;
  };
  transmitted transmit(channel::kind what, object::dictionary& message, channel::extensions extra,
                       base::ref<asker> context);
  void send_answer(channel::channel& over, channel::kind what, std::uint64_t id,
                   object::dictionary& message);
  [[gnu::cold]] static error_ref failure_of(const channel::sent& result);
  /// The object in an arrival, or why there is none.
  static base::ref<object::dictionary> decode(channel::arrival& what, error_ref& fault);
  void list_call(call& added);
  void unlist_call(call& removed);
  void answered(reply_right& right);
  void add_writer(writer& added);
  void remove_writer(writer& removed);
  void deliver(incoming& what);

 private:
  class ended_delivery;
  class interrupted_delivery;
  class stopping_delivery;
  class terminating_delivery;
  /// Encoded and waiting for the gate to open.
  struct held {
    channel::kind what;
    base::buffer body;
    attached with;
    channel::extensions extra;
    base::ref<asker> context;
    /// A barrier, and nothing of the above; `alone`: nothing passes until it has run.
    base::function<void()> then;
    bool alone = false;
  };

  explicit conversation(options how);
  ~conversation() override;

  // channel::sink
  void opened(const channel::peer_info& peer) override;
  void not_opened(const channel::closing& how) override;
  void arrived(channel::arrival&& what) override;
  void writable(std::uint64_t id) override;
  void answers_left() override;
  void ending(const channel::closing& how) override;
  void unanswered(base::ref<base::counted> context, std::uint64_t id, channel::fate how) override;
  void drained() override;
  void closed(const channel::closing& how) override;
  void role_given_up(bool by_engine) override;

  void arrived_call(channel::arrival&& what);
  void answers_wait(const channel::channel& over);
  bool forget_waiting_answers();
  void arrived_cancel(const channel::arrival& what);
  void dial();
  void redial_later();
  void end(std::unique_lock<base::mutex>& lock, error_ref why, bool hang_up);
  void interrupt(std::unique_lock<base::mutex>& lock, error_ref why);
  bool gate_is_open() const noexcept { return activated_ && suspends_ == 0 && alone_ == 0; }
  void open_gate();
  void let_handlers_run();
  void run_alone_now(base::function<void()> block);
  void drop_held(std::deque<held> unsent, const error_ref& why);
  transmitted transmit_encoded(channel::kind what, encoded_message& message,
                               channel::extensions extra, base::ref<asker> context);
  void pass_on(held& item);
  bool begin_dialing();
  void finish_if_answered();
  void settle();
  void check_deadlines();
  void leave_rights();
  void stop_writers();
  void end_writers();
  void try_waiting_sends();
  [[gnu::cold]] error_ref over_error() const;
  base::ref<handlers> current_handlers() const;

  const options how_;
  strand strand_{this};
  mutable base::mutex mutex_;
  state state_ = state::idle;
  bool activated_ = false;
  bool was_shown_ = false;     ///< the listener's handler has had it, and has returned
  bool handlers_run_ = false;  ///< the strand was opened: activated, or over before it could be
  unsigned alone_ = 0;  ///< blocks of run_alone() that are due or run: what is sent waits in held_
  bool announced_ = false;
  bool closing_ = false;    ///< close() was called
  bool finishing_ = false;  ///< all that came was handled: ends with the last answer
  bool ended_told_ = false;
  bool settled_ = false;
  bool stops_once_open_ = false;  ///< stop() came before the client's hello
  /// sent::answers_wait less sink::answers_left(), which may come in either order. Above zero,
  /// answers wait for a peer that does not read them, and no handler begins: T48.
  int answers_waiting_ = 0;
  unsigned suspends_ = 0;
  base::ref<handlers> handlers_;
  base::ref<channel::channel> channel_;
  base::instant dialing_since_{};
  unsigned attempts_ = 0;
  std::deque<held> held_;
  std::uint64_t held_bytes_ = 0;
  error_ref ending_;
  error_ref broken_;   // what made this side leave, for the calls that were under way
  error_ref refused_;  // why the other side wanted nothing of us, for the calls that it never saw
  std::vector<base::function<void()>> on_end_;
  peer_object* object_ = nullptr;
  identity who_;
  base::ref<channel::channel> greeted_;  ///< the one of the last hello: it has the pidfd
  std::vector<reply_right*> rights_;
  std::vector<writer*> writers_;
  call* calls_ = nullptr;
  base::instant next_deadline_ = base::never;
  engine::timer deadline_timer_;
  engine::timer redial_timer_;
  struct waiting_send {
    base::buffer body;
    attached with;
    base::function<void(error_ref)> done;
  };
  std::deque<waiting_send> waiting_sends_;
  bool trying_sends_ = false;
  bool writable_meanwhile_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace openxpc::connection
