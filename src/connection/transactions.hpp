#pragma once

#include "base/function.hpp"

#include <cstddef>
#include <utility>

namespace openxpc::connection {

/// What keeps this process from being idle: clients' messages that are being handled, replies that
/// are being made, and what the program counts itself (rules 167 to 174). Threads: any.

/// Counts while it lives. Move-only; empty after a move.
class transaction {
 public:
  transaction() noexcept = default;
  static transaction begin() noexcept;
  transaction(transaction&& other) noexcept : counts_(std::exchange(other.counts_, false)) {}
  transaction& operator=(transaction&& other) noexcept {
    std::swap(counts_, other.counts_);
    return *this;
  }
  ~transaction();

 private:
  bool counts_ = false;
};

/// The program's own; end_own_transaction() is false when it ends more than it began (rule 174).
void begin_own_transaction() noexcept;
bool end_own_transaction() noexcept;

std::size_t transaction_count() noexcept;
/// Calls `told` once, within the next begin or end of a transaction, whichever thread that is on:
/// it must be brief. For one observer; a second call replaces what was not called yet.
void tell_next_transaction(base::function<void()> told);
/// Calls `then` once, on an engine thread: soon when there are none, else behind the last (rule
/// 173).
void when_no_transactions(base::function<void()> then);

}  // namespace openxpc::connection
