#include "bootstrap/event_streams.hpp"

#include <mutex>
#include <unordered_map>

namespace openxpc::bootstrap {
namespace {

struct reader {
  base::ref<connection::executor> where;
  event_function told;
};
struct registry {
  std::mutex mutex;
  std::unordered_map<std::string, reader> all;
};
registry& all_streams() {
  static auto* forever = new registry;  // engine threads may outlive static destructors
  return *forever;
}

}  // namespace

bool set_event_stream(const std::string& stream, base::ref<connection::executor> where,
                      event_function told) {
  std::lock_guard lock(all_streams().mutex);
  return all_streams().all.try_emplace(stream, reader{std::move(where), std::move(told)}).second;
}

}  // namespace openxpc::bootstrap
