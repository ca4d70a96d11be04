#pragma once

#include "connection/conversation.hpp"
#include "connection/handle.hpp"
#include "connection/stream.hpp"

#include <xpc/openxpc/conversation.h>

namespace openxpc::capi {

// The opaque handles of conversation.h are references to these classes; owning one is owning a
// reference.
inline connection::call* behind(openxpc_call_t handle) noexcept {
  return reinterpret_cast<connection::call*>(handle);
}
inline connection::incoming* behind(openxpc_request_t handle) noexcept {
  return reinterpret_cast<connection::incoming*>(handle);
}
inline connection::incoming* behind(openxpc_subscription_t handle) noexcept {
  return reinterpret_cast<connection::incoming*>(handle);
}
inline connection::reader* behind(openxpc_stream_t handle) noexcept {
  return reinterpret_cast<connection::reader*>(handle);
}
inline connection::writer* behind(openxpc_writer_t handle) noexcept {
  return reinterpret_cast<connection::writer*>(handle);
}
inline connection::encoded_row* behind(openxpc_encoded_t handle) noexcept {
  return reinterpret_cast<connection::encoded_row*>(handle);
}

inline xpc_rich_error_t give(connection::error_ref owned) noexcept {
  return static_cast<xpc_rich_error_t>(
      static_cast<void*>(static_cast<object::object*>(owned.release())));
}
inline xpc_rich_error_t lend(const connection::error_ref& lent) noexcept {
  return static_cast<xpc_rich_error_t>(
      static_cast<void*>(static_cast<object::object*>(lent.get())));
}

/// A deadline of the C API: 0 stands for `otherwise`, OPENXPC_FOREVER for never.
base::instant deadline_after(std::uint64_t timeout_ns, std::chrono::nanoseconds otherwise);

/// The session or connection behind `peer`; anything else is misuse by `function`.
connection::peer_object& need_peer(xpc_object_t peer, const char* function);

channel::settings limits_of(const openxpc_limits_s& given);

/// The program's context, released when the last conversation that uses it has ended.
class shared_context final : public base::counted {
 public:
  shared_context(void* context, void (*last)(void*)) : context_(context), release_(last) {}
  void* get() const noexcept { return context_; }

 private:
  ~shared_context() override {
    if (release_) release_(context_);
  }
  void* const context_;
  void (*const release_)(void*);
};

/// Calls the functions of an openxpc_handlers_s; its context is `owner`'s.
base::ref<connection::handlers> handlers_of(const openxpc_handlers_s& given,
                                            base::ref<shared_context> owner);

}  // namespace openxpc::capi
