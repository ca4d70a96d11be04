#include "capi/executors.hpp"
#include "capi/handle.hpp"
#include "capi/program_handlers.hpp"

#include <algorithm>
#include <cstring>

using namespace openxpc;
using namespace openxpc::capi;
using connection::encoded_row;
using connection::error_ref;
using connection::incoming;
using connection::reader;
using connection::writer;

namespace {

constexpr auto default_timeout = std::chrono::seconds(30);
constexpr std::uint64_t default_bytes = std::uint64_t{1} << 20;

base::ref<connection::executor> chosen(const openxpc_executor_s* executor,
                                       base::ref<connection::executor> otherwise) {
  return executor ? executor_of(executor) : std::move(otherwise);
}

openxpc_next give_row(reader::next what, reader::row& from, openxpc_row_s* to) {
  switch (what) {
    case reader::next::none_yet:
      return OPENXPC_NEXT_NONE_YET;
    case reader::next::end:
      return OPENXPC_NEXT_END;
    case reader::next::row:
      break;
  }
  to->value = capi::give(std::move(from.value));
  to->sequence = from.sequence;
  to->missed = from.missed;
  return OPENXPC_NEXT_ROW;
}

void give_counts(const connection::stream_counts& now, openxpc_stream_counts_s* out) {
  openxpc_stream_counts_s filled{out->size,   now.sent,   now.delivered,
                                 now.waiting, now.missed, now.bytes};
  std::memcpy(out, &filled, std::min(out->size, sizeof filled));
}

base::instant instant_of(std::uint64_t deadline_ns) {
  return deadline_ns == OPENXPC_FOREVER ? base::never : base::from_wire(deadline_ns);
}

}  // namespace

// --- Reading -------------------------------------------------------------------------------------

openxpc_stream_t openxpc_peer_subscribe(xpc_object_t peer, xpc_object_t message,
                                        std::uint64_t credit_bytes, std::uint64_t timeout_ns) {
  auto& to = need_peer(peer, __func__);
  auto made = to.behind().subscribe(need_as<object::dictionary>(message, __func__),
                                    credit_bytes ? credit_bytes : default_bytes,
                                    deadline_after(timeout_ns, default_timeout));
  return reinterpret_cast<openxpc_stream_t>(made.release());
}

openxpc_next openxpc_stream_try_next(openxpc_stream_t stream, openxpc_row_s* row) {
  reader::row taken;
  reader::next what = behind(stream)->try_next(taken);
  return give_row(what, taken, row);
}

openxpc_next openxpc_stream_wait_next(openxpc_stream_t stream, std::uint64_t deadline_ns,
                                      openxpc_row_s* row) {
  reader::row taken;
  reader::next what =
      base::ref<reader>::share(behind(stream))->wait_next(instant_of(deadline_ns), taken);
  return give_row(what, taken, row);
}

void openxpc_stream_when_ready(openxpc_stream_t stream, const openxpc_executor_s* executor,
                               void* context, void (*ready)(void*)) {
  auto kept = base::ref<reader>::share(behind(stream));
  kept->when_ready([context, ready] { ready(context); },
                   chosen(executor, kept->default_executor()));
}

xpc_rich_error_t openxpc_stream_copy_error(openxpc_stream_t stream) {
  return capi::give(behind(stream)->error());
}

void openxpc_stream_get_counts(openxpc_stream_t stream, openxpc_stream_counts_s* out) {
  give_counts(behind(stream)->counts(), out);
}

void openxpc_stream_cancel(openxpc_stream_t stream) {
  base::ref<reader>::share(behind(stream))->cancel();
}

void openxpc_stream_release(openxpc_stream_t stream) {
  auto owned = base::ref<reader>::adopt(behind(stream));
  owned->cancel();
}

// --- Writing -------------------------------------------------------------------------------------

xpc_object_t openxpc_subscription_get_message(openxpc_subscription_t subscription) {
  return static_cast<object::object*>(behind(subscription)->message.get());
}

xpc_object_t openxpc_subscription_copy_sender(openxpc_subscription_t subscription) {
  return capi::give(behind(subscription)->from->share_object());
}

openxpc_writer_t openxpc_subscription_accept(openxpc_subscription_t subscription,
                                             openxpc_when_full policy, std::uint64_t buffer_bytes) {
  auto owned = base::ref<incoming>::adopt(behind(subscription));
  auto made = base::make_ref<writer>(owned->from, std::move(owned->right),
                                     static_cast<writer::policy>(policy),
                                     buffer_bytes ? buffer_bytes : default_bytes);
  return reinterpret_cast<openxpc_writer_t>(made.release());
}

void openxpc_subscription_refuse(openxpc_subscription_t subscription, xpc_rich_error_t error) {
  auto owned = base::ref<incoming>::adopt(behind(subscription));
  owned->right->fail(error_ref::share(&need_as<object::rich_error>(error, __func__)));
}

void openxpc_subscription_release(openxpc_subscription_t subscription) {
  auto owned = base::ref<incoming>::adopt(behind(subscription));
  owned->right = nullptr;
}

bool openxpc_writer_send_now(openxpc_writer_t handle, xpc_object_t row) {
  return behind(handle)->send_now(need_as<object::dictionary>(row, __func__));
}

xpc_rich_error_t openxpc_writer_try_send(openxpc_writer_t handle, xpc_object_t row) {
  if (behind(handle)->send_now(need_as<object::dictionary>(row, __func__))) return nullptr;
  error_ref fault;
  auto encoded = encoded_row::make(need_as<object::dictionary>(row, __func__), fault);
  if (!encoded) return capi::give(std::move(fault));
  return capi::give(behind(handle)->try_send(std::move(encoded)));
}

void openxpc_writer_send_when_ready(openxpc_writer_t handle, xpc_object_t row, void* context,
                                    void (*done)(void*, xpc_rich_error_t)) {
  auto kept = base::ref<writer>::share(behind(handle));
  error_ref fault;
  auto encoded = encoded_row::make(need_as<object::dictionary>(row, __func__), fault);
  if (!encoded) return done(context, capi::give(std::move(fault)));
  kept->send_when_ready(std::move(encoded), [context, done](error_ref why) {
    done(context, capi::give(std::move(why)));
  });
}

openxpc_encoded_t openxpc_encoded_create(xpc_object_t row, xpc_rich_error_t* error) {
  error_ref fault;
  auto made = encoded_row::make(need_as<object::dictionary>(row, __func__), fault);
  if (!made && error) *error = capi::give(std::move(fault));
  return reinterpret_cast<openxpc_encoded_t>(made.release());
}

openxpc_encoded_t openxpc_encoded_retain(openxpc_encoded_t row) {
  behind(row)->retain();
  return row;
}

void openxpc_encoded_release(openxpc_encoded_t row) { behind(row)->release(); }

xpc_rich_error_t openxpc_writer_try_send_encoded(openxpc_writer_t handle, openxpc_encoded_t row) {
  return capi::give(behind(handle)->try_send(base::ref<encoded_row>::share(behind(row))));
}

void openxpc_writer_when_writable(openxpc_writer_t handle, const openxpc_executor_s* executor,
                                  void* context, void (*ready)(void*)) {
  auto kept = base::ref<writer>::share(behind(handle));
  kept->when_writable([context, ready] { ready(context); },
                      chosen(executor, kept->default_executor()));
}

bool openxpc_writer_wait_writable(openxpc_writer_t handle, std::uint64_t deadline_ns) {
  return base::ref<writer>::share(behind(handle))->wait_writable(instant_of(deadline_ns));
}

bool openxpc_writer_is_canceled(openxpc_writer_t handle) { return behind(handle)->stopped(); }

void openxpc_writer_on_stop(openxpc_writer_t handle, void* context, void (*stopped)(void*)) {
  auto kept = base::ref<writer>::share(behind(handle));
  kept->on_stop(stopped ? base::function<void()>([context, stopped] { stopped(context); })
                        : base::function<void()>());
}

void openxpc_writer_get_counts(openxpc_writer_t handle, openxpc_stream_counts_s* out) {
  give_counts(behind(handle)->counts(), out);
}

void openxpc_writer_fail(openxpc_writer_t handle, xpc_rich_error_t error) {
  auto owned = base::ref<writer>::adopt(behind(handle));
  owned->on_stop(nullptr);
  owned->fail(error_ref::share(&need_as<object::rich_error>(error, __func__)));
}

void openxpc_writer_release(openxpc_writer_t handle) {
  auto owned = base::ref<writer>::adopt(behind(handle));
  owned->on_stop(nullptr);
  owned->finish();
}
