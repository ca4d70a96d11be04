#pragma once

#include "base/fd.hpp"
#include "base/function.hpp"
#include "connection/dialer.hpp"
#include "engine/timer.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace openxpc::bootstrap {

/// Services that stand in bundles beside this program's own file. Nobody finds them by name: the
/// service manager looks itself which program this process is, and gives it a descriptor to connect
/// through.

enum class standing : std::uint8_t {
  none,     ///< there is no bundle beside this program
  perhaps,  ///< there are bundles, whose names only their content tells
  certain,  ///< there is one that is called so
};
/// Looks at the file system, each time. Only at directories that are root's or this user's.
standing stands_beside(const std::string& name);

/// The way of one conversation to one such service. Threads: dial() and wait() as a dialer's; the
/// rest before the first dial().
class private_way final : public base::counted {
 public:
  explicit private_way(std::string name);

  /// A number of its own for a service that has an instance for each connection.
  void choose_instance(const std::string& uuid) { instance_ = uuid; }

  struct answer {
    base::fd socket;
    connection::error_ref failure;
    bool elsewhere = false;  ///< it is no service of this program: look the name up
  };
  answer dial(base::instant since);
  bool wait(base::function<void()> again);

 private:
  class silence;
  void ask(const std::string& directory);
  void answered(base::ref<object::dictionary> reply, connection::error_ref why);
  void ask_later();
  void wake();

  const std::string name_;
  const std::string connection_;
  std::string instance_;
  std::mutex mutex_;
  base::fd endpoint_;
  connection::error_ref failure_;
  base::instant asking_since_{};
  bool asking_ = false;
  bool elsewhere_ = false;
  bool fresh_ = false;  ///< answered, and nobody has looked at the answer yet
  base::function<void()> again_;
  engine::timer later_;
};

}  // namespace openxpc::bootstrap
