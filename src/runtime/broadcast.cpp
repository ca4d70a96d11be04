// One row, encoded once, for many writers. One lock keeps the list and the order of the rows;
// sending never waits and calls nobody back, while letting go of a writer may, so that happens
// outside it.

#include <xpc/openxpc/object.h>
#include <xpc/openxpc/runtime.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace {

/// A writer on its way out, with the reason if its reader should be told one.
struct leaving {
  openxpc_writer_t writer;
  xpc_rich_error_t why;
};

void let_go(const std::vector<leaving>& all) {
  for (const leaving& each : all) {
    if (each.why) {
      openxpc_writer_fail(each.writer, each.why);
      xpc_release(each.why);
    } else {
      openxpc_writer_release(each.writer);
    }
  }
}

}  // namespace

struct openxpc_broadcast_s {
  /// Takes those out whose reader has left. Call with the lock held.
  void collect(std::vector<leaving>& gone) {
    std::erase_if(writers, [&](openxpc_writer_t each) {
      if (!openxpc_writer_is_canceled(each)) return false;
      gone.push_back({each, nullptr});
      return true;
    });
  }

  std::mutex mutex;
  std::vector<openxpc_writer_t> writers;
};

openxpc_broadcast_t openxpc_broadcast_create() { return new openxpc_broadcast_s; }

void openxpc_broadcast_destroy(openxpc_broadcast_t broadcast) {
  for (openxpc_writer_t each : broadcast->writers) openxpc_writer_release(each);
  delete broadcast;
}

void openxpc_broadcast_add(openxpc_broadcast_t broadcast, openxpc_writer_t owned_writer) {
  std::vector<leaving> gone;
  {
    std::scoped_lock lock(broadcast->mutex);
    broadcast->collect(gone);
    broadcast->writers.push_back(owned_writer);
  }
  let_go(gone);
}

xpc_rich_error_t openxpc_broadcast_send(openxpc_broadcast_t broadcast, xpc_object_t row) {
  xpc_rich_error_t error = nullptr;
  openxpc_encoded_t encoded = openxpc_encoded_create(row, &error);
  if (!encoded) return error;
  std::vector<leaving> gone;
  {
    std::scoped_lock lock(broadcast->mutex);
    std::erase_if(broadcast->writers, [&](openxpc_writer_t each) {
      xpc_rich_error_t why = openxpc_writer_try_send_encoded(each, encoded);
      if (!why) return false;
      // One that waits for credit by its policy would miss this row without being told: its stream
      // ends, with that reason.
      gone.push_back({each, why});
      return true;
    });
  }
  openxpc_encoded_release(encoded);
  let_go(gone);
  return nullptr;
}

size_t openxpc_broadcast_get_count(openxpc_broadcast_t broadcast) {
  std::vector<leaving> gone;
  size_t count;
  {
    std::scoped_lock lock(broadcast->mutex);
    broadcast->collect(gone);
    count = broadcast->writers.size();
  }
  let_go(gone);
  return count;
}
