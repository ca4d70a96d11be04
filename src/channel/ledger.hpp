#pragma once

#include "base/random.hpp"
#include "base/ref.hpp"
#include "channel/credit.hpp"
#include "channel/frame.hpp"
#include "channel/id_table.hpp"
#include "channel/parcel.hpp"

#include <cstdint>
#include <memory>

// What is open between the two sides: our requests and subscriptions that the peer owes an answer,
// and the peer's that we owe one. The outbox and the inbox keep it together.
namespace openxpc::channel {

/// A request or subscription of ours, from send() to its final answer.
struct issued_call {
  kind what = kind::request;
  bool begun = false;      ///< its first frame has left: the peer may know the id
  bool left = false;       ///< its last frame has left: it counts as accepted
  bool swallow = false;    ///< nobody wants the answer any more
  bool cancelled = false;  ///< a cancel frame is queued or has left
  bool accepted = false;   ///< subscription: the peer said so
  std::uint64_t next_row = 0;
  base::ref<base::counted> context;
  /// Subscription: what its rows may take.
  credit_giver rows;
};

/// The rows of one subscription of the peer, with a lane of their own.
struct row_stream {
  std::uint64_t id = 0;
  lane queue;
  credit_spender credit;
  std::uint64_t initial_credit = 0;
  /// Weight of the rows in `queue` of which nothing is packed yet.
  std::uint64_t waiting_bytes = 0;
  /// Somebody was told would_block and waits for room for so many bytes; 0: nobody.
  std::uint64_t wanted_bytes = 0;
  bool in_turn = false;  ///< takes part in the round of lanes
};

/// A request or subscription of the peer, until its final answer has left (request: is queued).
struct served_call {
  kind what = kind::request;
  bool finishing = false;  ///< subscription: the final answer is queued behind the rows
  bool cancelled = false;
  bool accepted = false;
  std::unique_ptr<row_stream> rows;
};

struct ledger {
  id_table<issued_call> issued;
  id_table<served_call> served;
  /// A random 48-bit number to start with, so that ids of different conversations differ (threat
  /// T47).
  std::uint64_t next_id = (base::random_u64() >> 16) | 1;
  /// The highest id of the peer so far; its ids only rise.
  std::uint64_t highest_seen = 0;
  /// How many of ours the peer holds: what its unanswered_count limits.
  std::uint32_t open_at_peer = 0;
};

}  // namespace openxpc::channel
