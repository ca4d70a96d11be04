#include "capi/executors.hpp"
#include "capi/handle.hpp"
#include "capi/program_handlers.hpp"

#include <xpc/xpc.h>

#include <algorithm>
#include <cstring>

using namespace openxpc;
using namespace openxpc::capi;
using connection::call;
using connection::error_ref;
using connection::incoming;

namespace {

constexpr auto default_timeout = std::chrono::seconds(30);

}  // namespace

// --- Calls ---------------------------------------------------------------------------------------

openxpc_call_t openxpc_peer_call(xpc_object_t peer, xpc_object_t message,
                                 const openxpc_call_options_s* options) {
  auto& to = need_peer(peer, __func__);
  auto& what = need_as<object::dictionary>(message, __func__);
  openxpc_call_options_s given{};
  if (options) std::memcpy(&given, options, std::min(options->size, sizeof given));
  call::progress told;
  if (given.on_progress || given.release_progress) {
    auto owner = base::make_ref<shared_context>(given.progress_context, given.release_progress);
    told = [owner = std::move(owner),
            on_progress = given.on_progress](base::ref<object::dictionary> report) {
      if (!on_progress) return;
      xpc_object_t handle = static_cast<object::object*>(report.get());
      on_progress(owner->get(), xpc_dictionary_get_uint64(handle, "done"),
                  xpc_dictionary_get_uint64(handle, "total"),
                  xpc_dictionary_get_string(handle, "what"));
    };
  }
  auto made =
      to.behind().request(what, deadline_after(given.timeout_ns, default_timeout), std::move(told));
  return reinterpret_cast<openxpc_call_t>(made.release());
}

xpc_object_t openxpc_call_wait(openxpc_call_t handle, xpc_rich_error_t* error) {
  auto kept = base::ref<call>::share(behind(handle));
  base::ref<object::dictionary> reply;
  error_ref why = kept->wait(reply);
  if (reply) return capi::give(std::move(reply));
  if (error) *error = capi::give(std::move(why));
  return nullptr;
}

void openxpc_call_then(openxpc_call_t handle, const openxpc_executor_s* executor, void* context,
                       void (*done)(void*, xpc_object_t, xpc_rich_error_t)) {
  auto kept = base::ref<call>::share(behind(handle));
  auto where = executor ? executor_of(executor) : kept->default_executor();
  kept->then(
      [context, done](base::ref<object::dictionary> reply, error_ref why) {
        done(context, capi::give(std::move(reply)), capi::give(std::move(why)));
      },
      std::move(where));
}

bool openxpc_call_is_ready(openxpc_call_t handle) { return behind(handle)->ready(); }

void openxpc_call_cancel(openxpc_call_t handle) {
  base::ref<call>::share(behind(handle))->cancel();
}

void openxpc_call_release(openxpc_call_t handle) { behind(handle)->release(); }

// --- Requests ------------------------------------------------------------------------------------

xpc_object_t openxpc_request_get_message(openxpc_request_t request) {
  return static_cast<object::object*>(behind(request)->message.get());
}

bool openxpc_request_expects_reply(openxpc_request_t request) {
  return static_cast<bool>(behind(request)->right);
}

xpc_object_t openxpc_request_copy_sender(openxpc_request_t request) {
  return capi::give(behind(request)->from->share_object());
}

std::uint64_t openxpc_request_get_deadline(openxpc_request_t request) {
  base::instant deadline = behind(request)->deadline;
  return deadline == base::never ? OPENXPC_FOREVER : base::to_wire(deadline);
}

void openxpc_request_reply(openxpc_request_t request, xpc_object_t reply) {
  auto owned = base::ref<incoming>::adopt(behind(request));
  auto& message = need_as<object::dictionary>(reply, __func__);
  if (!owned->right) return;
  owned->right->on_cancel(nullptr);
  owned->right->reply(message);
}

void openxpc_request_fail(openxpc_request_t request, xpc_rich_error_t error) {
  auto owned = base::ref<incoming>::adopt(behind(request));
  auto& why = need_as<object::rich_error>(error, __func__);
  if (!owned->right) return;
  owned->right->on_cancel(nullptr);
  owned->right->fail(error_ref::share(&why));
}

void openxpc_request_report_progress(openxpc_request_t request, std::uint64_t done,
                                     std::uint64_t total, const char* what) {
  if (!behind(request)->right) return;
  auto report = object::dictionary::create();
  xpc_object_t handle = static_cast<object::object*>(report.get());
  xpc_dictionary_set_uint64(handle, "done", done);
  xpc_dictionary_set_uint64(handle, "total", total);
  if (what) xpc_dictionary_set_string(handle, "what", what);
  behind(request)->right->report_progress(*report);
}

bool openxpc_request_is_canceled(openxpc_request_t request) {
  return behind(request)->right ? behind(request)->right->canceled()
                                : behind(request)->from->over();
}

void openxpc_request_on_cancel(openxpc_request_t request, void* context, void (*canceled)(void*)) {
  if (!behind(request)->right) return;
  auto kept = behind(request)->right;
  kept->on_cancel(canceled ? base::function<void()>([context, canceled] { canceled(context); })
                           : base::function<void()>());
}

void openxpc_request_release(openxpc_request_t request) {
  auto owned = base::ref<incoming>::adopt(behind(request));
  if (owned->right) owned->right->on_cancel(nullptr);
  // Answered here rather than when the last reference goes: the caller is told at once, also inside
  // a handler.
  owned->right = nullptr;
}
