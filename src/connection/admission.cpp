#include "connection/admission.hpp"

#include <sys/stat.h>

#include <map>
#include <mutex>

namespace openxpc::connection {
namespace {

struct rules {
  std::mutex mutex;
  std::map<ino_t, base::ref<admission>> by_socket;  // a socket's inode is the same in every copy
};
rules& all_rules() {
  static auto* forever = new rules;  // engine threads may outlive static destructors
  return *forever;
}

ino_t socket_inode(int borrowed_socket) noexcept {
  struct stat found{};
  return ::fstat(borrowed_socket, &found) == 0 && S_ISSOCK(found.st_mode) ? found.st_ino : 0;
}

}  // namespace

void admit_by(int borrowed_listening_socket, base::ref<admission> rule) {
  const ino_t which = socket_inode(borrowed_listening_socket);
  std::lock_guard lock(all_rules().mutex);
  all_rules().by_socket[which] = std::move(rule);
}

base::ref<admission> admission_of(int borrowed_listening_socket) {
  const ino_t which = socket_inode(borrowed_listening_socket);
  std::lock_guard lock(all_rules().mutex);
  auto at = all_rules().by_socket.find(which);
  return at == all_rules().by_socket.end() ? nullptr : at->second;
}

}  // namespace openxpc::connection
