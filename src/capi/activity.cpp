#include "object/activity.hpp"

#include "base/misuse.hpp"
#include "bootstrap/activities.hpp"
#include "bootstrap/event_streams.hpp"
#include "capi/block.hpp"
#include "capi/executors.hpp"
#include "capi/handle.hpp"
#include "object/scalar.hpp"
#include "object/value.hpp"

#include <xpc/activity.h>
#include <xpc/openxpc/activity.h>
#include <xpc/private.h>

#include <cstring>
#include <new>

namespace base = openxpc::base;
namespace bootstrap = openxpc::bootstrap;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

/// Only its address counts.
constinit object::null check_in_mark;

xpc_activity_t lend(object::activity& which) noexcept {
  return static_cast<xpc_activity_t>(static_cast<void*>(static_cast<object::object*>(&which)));
}

object::ref<object::object> copy_of_criteria(xpc_object_t criteria, const char* function) {
  auto copy = object::copy(capi::need_as<object::dictionary>(criteria, function));
  if (!copy) base::misuse(function, "the criteria hold what cannot be copied");
  return copy;
}

void register_it(const char* identifier, xpc_object_t criteria, bootstrap::activity_function told,
                 const char* function) {
  capi::need_pointer(identifier, "the identifier", function);
  if (!*identifier) base::misuse(function, "the identifier is empty");
  object::ref<object::object> wanted;
  if (criteria != XPC_ACTIVITY_CHECK_IN) wanted = copy_of_criteria(criteria, function);
  bootstrap::register_activity(identifier, std::move(wanted), std::move(told));
}

void need_names(const char* stream, const char* token, const char* function) {
  capi::need_pointer(stream, "the stream", function);
  capi::need_pointer(token, "the token", function);
  if (!*stream) base::misuse(function, "the name of the stream is empty");
  if (!*token) base::misuse(function, "the token is empty");
}

void listen_to(const char* stream, dispatch_queue_t targetq, bootstrap::event_function told,
               const char* function) {
  capi::need_pointer(stream, "the stream", function);
  if (!*stream) base::misuse(function, "the name of the stream is empty");
  if (!bootstrap::set_event_stream(stream, capi::executor_of(targetq, function), std::move(told)))
    base::misuse(function, "the stream %s has a handler already", stream);
}

}  // namespace

const xpc_object_t XPC_ACTIVITY_CHECK_IN = static_cast<object::object*>(&check_in_mark);

const char* const XPC_ACTIVITY_INTERVAL = "Interval";
const char* const XPC_ACTIVITY_REPEATING = "Repeating";
const char* const XPC_ACTIVITY_DELAY = "Delay";
const char* const XPC_ACTIVITY_GRACE_PERIOD = "GracePeriod";
const char* const XPC_ACTIVITY_PRIORITY = "Priority";
const char* const XPC_ACTIVITY_PRIORITY_MAINTENANCE = "Maintenance";
const char* const XPC_ACTIVITY_PRIORITY_UTILITY = "Utility";
const char* const XPC_ACTIVITY_ALLOW_BATTERY = "AllowBattery";
const char* const XPC_ACTIVITY_REQUIRE_SCREEN_SLEEP = "RequireScreenSleep";
const char* const XPC_ACTIVITY_PREVENT_DEVICE_SLEEP = "PreventDeviceSleep";
const char* const XPC_ACTIVITY_REQUIRE_BATTERY_LEVEL = "RequireBatteryLevel";
const char* const XPC_ACTIVITY_REQUIRE_HDD_SPINNING = "RequireHDDSpinning";

const int64_t XPC_ACTIVITY_INTERVAL_1_MIN = 60;
const int64_t XPC_ACTIVITY_INTERVAL_5_MIN = 300;
const int64_t XPC_ACTIVITY_INTERVAL_15_MIN = 900;
const int64_t XPC_ACTIVITY_INTERVAL_30_MIN = 1800;
const int64_t XPC_ACTIVITY_INTERVAL_1_HOUR = 3600;
const int64_t XPC_ACTIVITY_INTERVAL_4_HOURS = 14400;
const int64_t XPC_ACTIVITY_INTERVAL_8_HOURS = 28800;
const int64_t XPC_ACTIVITY_INTERVAL_1_DAY = 86400;
const int64_t XPC_ACTIVITY_INTERVAL_7_DAYS = 604800;

void xpc_activity_register(const char* identifier, xpc_object_t criteria,
                           xpc_activity_handler_t handler) {
  capi::need_pointer(handler, "the handler", __func__);
  register_it(
      identifier, criteria,
      [run = capi::block<void(xpc_activity_t)>(handler)](object::activity& which) {
        run(lend(which));
      },
      __func__);
}

void openxpc_activity_register_f(const char* identifier, xpc_object_t criteria, void* context,
                                 void (*handler)(xpc_activity_t, void*)) {
  capi::need_pointer(reinterpret_cast<void*>(handler), "the handler", __func__);
  register_it(
      identifier, criteria,
      [handler, context](object::activity& which) { handler(lend(which), context); }, __func__);
}

xpc_object_t xpc_activity_copy_criteria(xpc_activity_t activity) {
  auto criteria = capi::need_as<object::activity>(activity, __func__).criteria();
  return criteria ? capi::give(object::copy(*criteria)) : nullptr;
}

void xpc_activity_set_criteria(xpc_activity_t activity, xpc_object_t criteria) {
  bootstrap::set_activity_criteria(capi::need_as<object::activity>(activity, __func__),
                                   copy_of_criteria(criteria, __func__));
}

xpc_activity_state_t xpc_activity_get_state(xpc_activity_t activity) {
  return static_cast<xpc_activity_state_t>(
      capi::need_as<object::activity>(activity, __func__).state());
}

bool xpc_activity_set_state(xpc_activity_t activity, xpc_activity_state_t state) {
  auto& which = capi::need_as<object::activity>(activity, __func__);
  return state >= XPC_ACTIVITY_STATE_CHECK_IN && state <= XPC_ACTIVITY_STATE_DONE &&
         bootstrap::ask_activity(which, static_cast<object::activity_state>(state));
}

bool xpc_activity_should_defer(xpc_activity_t activity) {
  return bootstrap::activity_should_defer(capi::need_as<object::activity>(activity, __func__));
}

char* xpc_activity_copy_identifier(xpc_activity_t activity) {
  const auto& identifier = capi::need_as<object::activity>(activity, __func__).identifier();
  char* copy = ::strdup(identifier.c_str());
  if (!copy) throw std::bad_alloc();
  return copy;
}

void xpc_activity_unregister(const char* identifier) {
  capi::need_pointer(identifier, "the identifier", __func__);
  bootstrap::unregister_activity(identifier);
}

void xpc_set_event_stream_handler(const char* stream, dispatch_queue_t targetq,
                                  xpc_handler_t handler) {
  capi::need_pointer(handler, "the handler", __func__);
  listen_to(
      stream, targetq,
      [run = capi::block<void(xpc_object_t)>(handler)](object::object& event) { run(&event); },
      __func__);
}

void xpc_set_event(const char* stream, const char* token, xpc_object_t event) {
  need_names(stream, token, __func__);
  object::ref<object::dictionary> wanted;
  if (event) {
    auto copy = object::copy(capi::need_as<object::dictionary>(event, __func__));
    if (!copy) base::misuse(__func__, "the event holds what cannot be copied");
    wanted =
        object::ref<object::dictionary>::adopt(static_cast<object::dictionary*>(copy.release()));
  }
  bootstrap::set_event(stream, token, std::move(wanted));
}

xpc_object_t xpc_copy_event(const char* stream, const char* token) {
  need_names(stream, token, __func__);
  auto event = bootstrap::copy_event(stream, token);
  return event ? capi::give(std::move(event)) : nullptr;
}

void openxpc_set_event_stream_handler_f(const char* stream, dispatch_queue_t targetq, void* context,
                                        void (*handler)(xpc_object_t, void*)) {
  capi::need_pointer(reinterpret_cast<void*>(handler), "the handler", __func__);
  listen_to(
      stream, targetq, [handler, context](object::object& event) { handler(&event, context); },
      __func__);
}
