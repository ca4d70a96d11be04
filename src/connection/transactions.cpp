#include "connection/transactions.hpp"

#include "engine/engine.hpp"

#include <atomic>
#include <mutex>
#include <vector>

namespace openxpc::connection {
namespace {

std::atomic<std::size_t> all{0}, own{0};

struct waiting {
  std::mutex mutex;
  std::vector<base::function<void()>> functions;
  std::atomic<bool> any{false};
};
waiting& who_waits() {
  static auto* forever = new waiting;  // engine threads may outlive static destructors
  return *forever;
}

/// Who wants to hear of the next change. One load where nobody does.
struct observer {
  std::mutex mutex;
  base::function<void()> told;
  std::atomic<bool> waits{false};
};
observer& who_observes() {
  static auto* forever = new observer;
  return *forever;
}
std::atomic<observer*> observed_by{nullptr};

void tell_observer() noexcept {
  observer* one = observed_by.load(std::memory_order_acquire);
  if (!one || !one->waits.load(std::memory_order_seq_cst)) return;
  base::function<void()> told;
  {
    std::lock_guard lock(one->mutex);
    told = std::move(one->told);
    one->told = nullptr;
    one->waits.store(false, std::memory_order_seq_cst);
  }
  if (told) told();
}

void begin_one() noexcept {
  all.fetch_add(1, std::memory_order_seq_cst);
  tell_observer();
}

/// Whoever comes last looks for those who wait; whoever begins to wait looks at the count
/// afterwards: one of the two sees the other.
void run_if_none() {
  auto& them = who_waits();
  if (!them.any.load(std::memory_order_seq_cst) || all.load(std::memory_order_seq_cst) != 0) return;
  std::vector<base::function<void()>> now;
  {
    std::lock_guard lock(them.mutex);
    now.swap(them.functions);
    them.any.store(false, std::memory_order_seq_cst);
  }
  for (auto& each : now) engine::post(std::move(each));
}

void end_one() noexcept {
  const bool last = all.fetch_sub(1, std::memory_order_seq_cst) == 1;
  tell_observer();
  if (last) run_if_none();
}

}  // namespace

transaction transaction::begin() noexcept {
  begin_one();
  transaction made;
  made.counts_ = true;
  return made;
}

transaction::~transaction() {
  if (counts_) end_one();
}

void begin_own_transaction() noexcept {
  own.fetch_add(1, std::memory_order_relaxed);
  begin_one();
}

bool end_own_transaction() noexcept {
  auto count = own.load(std::memory_order_relaxed);
  do {
    if (count == 0) return false;
  } while (!own.compare_exchange_weak(count, count - 1, std::memory_order_relaxed));
  end_one();
  return true;
}

std::size_t transaction_count() noexcept { return all.load(std::memory_order_seq_cst); }

void tell_next_transaction(base::function<void()> told) {
  observer& one = who_observes();
  {
    std::lock_guard lock(one.mutex);
    one.told = std::move(told);
    one.waits.store(true, std::memory_order_seq_cst);
  }
  observed_by.store(&one, std::memory_order_release);
}

void when_no_transactions(base::function<void()> then) {
  {
    std::lock_guard lock(who_waits().mutex);
    who_waits().functions.push_back(std::move(then));
    who_waits().any.store(true, std::memory_order_seq_cst);
  }
  run_if_none();
}

}  // namespace openxpc::connection
