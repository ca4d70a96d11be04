#pragma once

#include "base/fd.hpp"
#include "support/child.hpp"

#include <xpc/openxpc/conversation.h>
#include <xpc/openxpc/error.h>
#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A service manager of the test's own, and what one asks it.
namespace system_test {

struct release_object {
  void operator()(void* object) const noexcept { ::xpc_release(object); }
};
using object_ref = std::unique_ptr<void, release_object>;

object_ref dictionary();
void set(const object_ref& dictionary, const char* key, std::string_view text);
void set(const object_ref& dictionary, const char* key, std::int64_t number);
/// Empty or 0 where there is no such key of that type. `path` goes through dictionaries:
/// "last-exit/status".
std::string text_at(const object_ref& from, std::string_view path);
std::int64_t number_at(const object_ref& from, std::string_view path);
bool has(const object_ref& from, std::string_view path);
std::vector<std::string> texts_at(const object_ref& from, std::string_view path);

/// What a call came to: a reply, or a code and a message.
struct answer {
  object_ref reply;
  openxpc_error_code_t code = OPENXPC_ERROR_NONE;
  openxpc_error_flags_t flags = 0;
  std::string message;
  explicit operator bool() const { return reply != nullptr; }
};

/// A session of the test with somebody.
class session {
 public:
  session() = default;
  explicit session(xpc_session_t owned) : handle_(owned) {}
  session(session&&) = default;
  session& operator=(session&& other) {
    end();
    handle_ = std::move(other.handle_);
    return *this;
  }
  ~session() { end(); }

  explicit operator bool() const { return handle_ != nullptr; }
  answer call(const object_ref& message) const;
  /// {op: what}.
  answer call(const char* what) const;
  /// A call under way.
  openxpc_call_t begin(const char* what) const;
  openxpc_call_t begin(const object_ref& message) const;
  static answer wait(openxpc_call_t owned);
  /// The other side as the kernel told: 0 when unknown.
  pid_t pid() const;
  xpc_object_t get() const { return handle_.get(); }
  void end();

 private:
  object_ref handle_;
};

/// A session with the service manager of a domain; empty, and why, when there is none.
session open_control(const std::string& directory, answer* why);
/// Asks it.
answer ask_control(const std::string& directory, const object_ref& request);

/// A property list; `more` goes in before the end.
std::string plist(const std::string& label, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& names = {}, const std::string& more = {});
/// The same list with this dictionary as the value of each of its names.
std::string with_options(const std::string& plist, const std::string& options);
/// For the system domain, where a name must say who may use it: anybody.
std::string for_anybody(const std::string& plist);
/// Arguments of a job whose program is a role of this test program.
std::vector<std::string> role(const std::string& name,
                              const std::vector<std::string>& arguments = {});

class manager {
 public:
  /// Starts xpcd in `directory` and waits until it is ready. @param more  options of its own
  explicit manager(std::string directory, std::vector<std::string> more = {});
  const std::string& directory() const { return directory_; }
  pid_t pid() const { return xpcd_->pid(); }
  /// SIGKILL, and another one in the same directory.
  void replace();
  void kill();
  void start();
  /// SIGTERM; how it ended.
  xpc_testing::ending stop();
  /// How it ended by itself. Throws, with what it had to say, where it does not.
  xpc_testing::ending wait();
  void signal(int number) { xpcd_->kill(number); }
  std::string log() const { return xpcd_->error_text(); }

  answer ask(const object_ref& request) const;
  answer bootstrap(const std::string& plist, const std::string& origin = "test.plist") const;
  answer verb(const char* op, const std::string& label) const;
  /// The job's dictionary, as print gives it. Throws where there is none.
  object_ref print(const std::string& label) const;
  /// Looks until the job is in that state.
  object_ref wait_for_state(const std::string& label, const std::string& state) const;

  /// Throws with the reason when it cannot be opened.
  session open(const std::string& name) const;
  /// The code with which opening fails; NONE when it does not.
  openxpc_error_code_t open_fails(const std::string& name, std::string* message = nullptr) const;

 private:
  std::string directory_;
  std::vector<std::string> more_;
  std::optional<xpc_testing::child> xpcd_;
};

/// True while there is a process of that number that is no zombie: one of its threads runs.
bool is_alive(pid_t pid);
void wait_until_gone(pid_t pid);

}  // namespace system_test
