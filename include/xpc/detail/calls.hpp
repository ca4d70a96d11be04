#pragma once

#include <xpc/detail/rows.hpp>

/// Calls of the C functions as pendings.
namespace xpc::detail {

inline result<dictionary> reply_or(xpc_object_t reply, xpc_rich_error_t error) {
  if (reply) return dictionary::adopt_native(reply);
  return failure::adopt_native(error);
}

inline outcome<dictionary> wait_for_call(openxpc_call_t call) {
  xpc_rich_error_t error = nullptr;
  xpc_object_t reply = openxpc_call_wait(call, &error);
  return {reply_or(reply, error), nullptr};
}

inline void call_then(openxpc_call_t call, const executor* on, continuation<dictionary>* next) {
  openxpc_executor_s native = on ? on->native() : openxpc_executor_s{};
  openxpc_call_then(call, on ? &native : nullptr, next,
                    [](void* context, xpc_object_t reply, xpc_rich_error_t error) {
                      auto* told = static_cast<continuation<dictionary>*>(context);
                      told->done(told, {reply_or(reply, error), nullptr});
                    });
}

/// The handle is the C call itself: nothing is allocated for it.
inline pending<dictionary> plain_call(openxpc_call_t owned) {
  static constexpr auto at = [](void* me) { return static_cast<openxpc_call_t>(me); };
  static constexpr operation<dictionary> all{
      [](void* me) { return wait_for_call(at(me)); },
      [](void* me) { return openxpc_call_is_ready(at(me)); },
      [](void* me, const executor* on, continuation<dictionary>* next) {
        call_then(at(me), on, next);
      },
      [](void* me) { openxpc_call_cancel(at(me)); },
      [](void* me) {
        openxpc_call_cancel(at(me));
        openxpc_call_release(at(me));
      },
      [](void* me) { openxpc_call_release(at(me)); },
  };
  return {owned, &all};
}

/// A call that a stop token cancels. The token is watched until the outcome is told, so this is
/// held by the pending and, once somebody asked to be told, by the call.
class stoppable_call final : public counted, private continuation<dictionary> {
 public:
  static pending<dictionary> begin(openxpc_call_t owned, std::stop_token stop) {
    auto* made = new stoppable_call(owned);
    made->on_stop_.emplace(std::move(stop), canceller{owned});
    static constexpr operation<dictionary> all{
        [](void* me) { return wait_for_call(at(me)->call_); },
        [](void* me) { return openxpc_call_is_ready(at(me)->call_); },
        [](void* me, const executor* on, continuation<dictionary>* next) {
          at(me)->next_ = next;
          at(me)->retain();
          call_then(at(me)->call_, on, at(me));
        },
        [](void* me) { openxpc_call_cancel(at(me)->call_); },
        [](void* me) {
          openxpc_call_cancel(at(me)->call_);
          at(me)->release();
        },
        [](void* me) { at(me)->release(); },
    };
    return {made, &all};
  }

 private:
  struct canceller {
    openxpc_call_t of;
    void operator()() const noexcept { openxpc_call_cancel(of); }
  };
  explicit stoppable_call(openxpc_call_t owned) noexcept
      : continuation<dictionary>{&told}, call_(owned) {}
  ~stoppable_call() override {
    on_stop_.reset();
    openxpc_call_release(call_);
  }
  static stoppable_call* at(void* me) noexcept { return static_cast<stoppable_call*>(me); }
  static void told(continuation<dictionary>* me, outcome<dictionary>&& how) {
    auto self = counted_ref<stoppable_call>::adopt(static_cast<stoppable_call*>(me));
    self->next_->done(self->next_, std::move(how));
  }

  openxpc_call_t call_;
  continuation<dictionary>* next_ = nullptr;
  std::optional<std::stop_callback<canceller>> on_stop_;
};

}  // namespace xpc::detail
