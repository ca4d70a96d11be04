#include "capi/program_handlers.hpp"

#include "base/misuse.hpp"
#include "capi/handle.hpp"

namespace openxpc::capi {
namespace {

class program_handlers final : public connection::handlers {
 public:
  program_handlers(const openxpc_handlers_s& given, base::ref<shared_context> owner)
      : told_(given), owner_(std::move(owner)) {}

  void received(base::ref<connection::incoming> what) override {
    count(*what);
    auto handler = !what->right && told_.on_message ? told_.on_message : told_.on_request;
    if (handler) return handler(owner_->get(), reinterpret_cast<openxpc_request_t>(what.release()));
    if (what->right)
      what->right->fail(connection::make_error(
          OPENXPC_ERROR_UNKNOWN_METHOD, "this side of the conversation answers no requests"));
  }
  void subscribed(base::ref<connection::incoming> what) override {
    count(*what);
    if (told_.on_subscribe)
      return told_.on_subscribe(owner_->get(),
                                reinterpret_cast<openxpc_subscription_t>(what.release()));
    what->right->fail(connection::make_error(OPENXPC_ERROR_UNKNOWN_METHOD,
                                             "this side of the conversation has no streams"));
  }
  void interrupted(const connection::error_ref& why) override {
    if (told_.on_interrupted) told_.on_interrupted(owner_->get(), lend(why));
  }
  void ended(const connection::error_ref& why) override {
    if (told_.on_end) told_.on_end(owner_->get(), lend(why));
  }

 private:
  /// What a client asks of a service keeps the service from being idle until it is answered and let
  /// go of, whether the client waits for that or not (rule 168).
  static void count(connection::incoming& what) {
    if (!what.from->way() && !what.from->is_from_endpoint())
      what.busy = connection::transaction::begin();
  }

  const openxpc_handlers_s told_;
  const base::ref<shared_context> owner_;
};

}  // namespace

base::ref<connection::handlers> handlers_of(const openxpc_handlers_s& given,
                                            base::ref<shared_context> owner) {
  return base::make_ref<program_handlers>(given, std::move(owner));
}

connection::peer_object& need_peer(xpc_object_t peer, const char* function) {
  object::object& any = need(peer, function);
  if (any.what() != OPENXPC_TYPE_SESSION && any.what() != OPENXPC_TYPE_CONNECTION)
    wrong_type(function, "session or connection", any);
  auto& handle = static_cast<connection::handle&>(any);
  if (handle.listens()) base::misuse(function, "a listener is not a peer: it only yields them");
  return static_cast<connection::peer_object&>(handle);
}

base::instant deadline_after(std::uint64_t timeout_ns, std::chrono::nanoseconds otherwise) {
  if (timeout_ns == OPENXPC_FOREVER) return base::never;
  if (timeout_ns == 0) return base::from_now(otherwise);
  if (timeout_ns > static_cast<std::uint64_t>(INT64_MAX)) return base::never;
  return base::from_now(std::chrono::nanoseconds(static_cast<std::int64_t>(timeout_ns)));
}

channel::settings limits_of(const openxpc_limits_s& given) {
  constexpr std::uint64_t least = 65536;  // the protocol's
  channel::settings limits;
  if (given.message_bytes) limits.message_bytes = std::max(given.message_bytes, least);
  if (given.credit_bytes) limits.credit_bytes = std::max(given.credit_bytes, least);
  limits.unsent_bytes = given.unsent_bytes ? given.unsent_bytes : std::uint64_t{4} << 20;
  if (given.unanswered_count) limits.unanswered_count = given.unanswered_count;
  limits.want_pidfd = true;
  return limits;
}

}  // namespace openxpc::capi
