#include <xpc/xpc.h>

#include <mach/mach_time.h>
#include <os/transaction_private.h>

#include <atomic>
#include <string>

struct os_transaction_s {
  explicit os_transaction_s(const char* text) : description(text) {}
  std::atomic<std::size_t> references{1};
  const std::string description;
  const std::uint64_t made = mach_absolute_time();
};

os_transaction_t os_transaction_create(const char* description) {
  auto* made = new os_transaction_s(description);
  ::xpc_transaction_begin();
  return made;
}

std::uint64_t os_transaction_get_timestamp(os_transaction_t transaction) {
  return transaction->made;
}

const char* os_transaction_get_description(os_transaction_t transaction) {
  return transaction->description.c_str();
}

void openxpc_os_transaction_retain(os_transaction_t transaction) {
  transaction->references.fetch_add(1, std::memory_order_relaxed);
}

void openxpc_os_transaction_release(os_transaction_t transaction) {
  if (transaction->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  delete transaction;
  ::xpc_transaction_end();
}
