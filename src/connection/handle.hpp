#pragma once

#include "connection/conversation.hpp"
#include "object/describe.hpp"
#include "object/object.hpp"

#include <atomic>
#include <string>

namespace openxpc::connection {

/// What an xpc_connection_t, xpc_session_t or xpc_listener_t points to: the program's end of a
/// conversation or listener. While the program holds it the other side is served; the last
/// reference ends what is behind it. The running parts live in classes of their own, with counts of
/// their own, so that the library's references never keep a program's object alive.
class handle : public object::object {
 public:
  using finalizer = void (*)(void* context);

  virtual bool listens() const noexcept = 0;
  const std::string& name() const noexcept { return name_; }
  /// "Connection from here to there" for people, after the address (rule 17).
  void describe(openxpc::object::describer& out) const override;

  /// What the API above hangs on it: set before activation, dropped with it.
  base::counted* extra() const noexcept { return extra_.get(); }
  void set_extra(base::ref<base::counted> what) noexcept { extra_ = std::move(what); }

  void* context() const noexcept { return context_.load(std::memory_order_acquire); }
  void set_context(void* context) noexcept { context_.store(context, std::memory_order_release); }
  void set_finalizer(finalizer last) noexcept { finalizer_.store(last, std::memory_order_release); }

 protected:
  handle(openxpc_type_t what, std::string name) : object(what), name_(std::move(name)) {}
  ~handle();

 private:
  const std::string name_;
  base::ref<base::counted> extra_;
  std::atomic<void*> context_{nullptr};
  std::atomic<finalizer> finalizer_{nullptr};
};

/// The end of a conversation.
class peer_object final : public handle {
 public:
  /// @param what  OPENXPC_TYPE_CONNECTION or OPENXPC_TYPE_SESSION. @param name  empty for peers and
  /// endpoints (rule 61).
  static base::ref<peer_object> make(openxpc_type_t what, std::string name,
                                     base::ref<conversation> behind);

  bool listens() const noexcept override { return false; }
  conversation& behind() const noexcept { return *behind_; }
  /// Letting go of it while it is live is misuse (rule 137). Before anybody else has it.
  void require_cancel() noexcept { cancel_first_ = true; }

 private:
  peer_object(openxpc_type_t what, std::string name, base::ref<conversation> behind)
      : handle(what, std::move(name)), behind_(std::move(behind)) {}
  void destroy() noexcept override;

  const base::ref<conversation> behind_;
  bool cancel_first_ = false;
};

class listener;

/// A listener's end.
class listener_object final : public handle {
 public:
  /// @param what  OPENXPC_TYPE_CONNECTION (the connection API's listeners) or
  /// OPENXPC_TYPE_LISTENER.
  static base::ref<listener_object> make(openxpc_type_t what, std::string name,
                                         base::ref<listener> behind);

  bool listens() const noexcept override { return true; }
  listener& behind() const noexcept { return *behind_; }

 private:
  listener_object(openxpc_type_t what, std::string name, base::ref<listener> behind);
  void destroy() noexcept override;

  const base::ref<listener> behind_;
};

}  // namespace openxpc::connection
