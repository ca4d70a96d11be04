#pragma once

#include <xpc/detail/peer.hpp>

#include <ctime>

namespace xpc {

namespace detail {

/// A message that came in, shared by the handler's request and whoever answers for the handler.
class incoming_request final : public counted {
 public:
  incoming_request(openxpc_request_t owned, std::chrono::nanoseconds timeout)
      : call_timeout(timeout),
        expects_reply(openxpc_request_expects_reply(owned)),
        at_(owned),
        body_(*dictionary::from_native(openxpc_request_get_message(owned))) {}

  const dictionary& body() const noexcept { return body_; }
  /// The C request; misuse when it is answered.
  openxpc_request_t need(const char* function) const {
    if (!at_) openxpc_misuse(function, "the request was answered before");
    return at_;
  }
  bool answered() const noexcept { return !at_; }
  void reply(const dictionary& with) {
    openxpc_request_reply(std::exchange(at_, nullptr), with.native_handle());
  }
  void fail(const failure& why) {
    openxpc_request_fail(std::exchange(at_, nullptr), why.native_handle());
  }
  std::stop_token stop_token() {
    if (!at_ && !watched_) return {};
    watched_ = true;
    return stop_.token([this](void* context, void (*fired)(void*)) {
      openxpc_request_on_cancel(at_, context, fired);
    });
  }

  const std::chrono::nanoseconds call_timeout;
  const bool expects_reply;

 private:
  ~incoming_request() override {
    if (at_) openxpc_request_release(at_);
  }
  openxpc_request_t at_;
  dictionary body_;
  bool watched_ = false;
  stop_bridge stop_;
};

}  // namespace detail

/// A message that came in, and the right to answer it once, here or later and elsewhere. A
/// resource, move-only; destroyed unanswered, the caller reads no_reply at once. In a handler that
/// returns its answer, the answer is what it returns. Threads: any, one at a time.
class request {
 public:
  request(request&&) noexcept = default;
  request& operator=(request&&) noexcept = default;

  /// The message; copy it to keep it.
  const dictionary& body() const { return at_->body(); }
  /// As dictionary::get(); views live as long as the request.
  template <class... T, class... K>
  auto get(const K&... keys) const& {
    return at_->body().template get<T...>(keys...);
  }
  template <class... T, class... K>
  auto get(const K&... keys) const&& {
    static_assert(
        !detail::views<T...>,
        "a view into a temporary request would dangle: keep the request, or read an owner");
    return at_->body().template get<T...>(keys...);
  }
  /// False for a message without reply; answering one does nothing.
  bool expects_reply() const { return at_->expects_reply; }
  /// Answers. A second answer is misuse.
  void reply(const dictionary& with) && {
    auto held = std::move(at_);
    held->need("xpc::request::reply");
    held->reply(with);
  }
  /// Answers with a failure: the caller reads its code, domain, number, message.
  void fail(failure why) && {
    auto held = std::move(at_);
    held->need("xpc::request::fail");
    held->fail(why);
  }
  /// Tells the caller how far the work is; only the latest report travels.
  void report_progress(std::uint64_t done, std::uint64_t total, std::string_view what = {}) const {
    openxpc_request_report_progress(at_->need("xpc::request::report_progress"), done, total,
                                    std::string(what).c_str());
  }
  /// Fires when the caller has cancelled, timed out or left.
  std::stop_token stop_token() const { return at_->stop_token(); }
  /// When the caller stops waiting; time_point::max() when it never does.
  std::chrono::steady_clock::time_point deadline() const {
    using clock = std::chrono::steady_clock;
    std::uint64_t at = openxpc_request_get_deadline(at_->need("xpc::request::deadline"));
    if (at == OPENXPC_FOREVER) return clock::time_point::max();
    // Deadlines travel in boot time, which runs on through suspend.
    timespec now;
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    std::chrono::nanoseconds boot =
        std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    return clock::now() + (std::chrono::nanoseconds(static_cast<std::int64_t>(at)) - boot);
  }
  /// Who sent it, to talk to.
  peer sender() const {
    return peer(
        detail::handle::adopt(openxpc_request_copy_sender(at_->need("xpc::request::sender"))),
        at_->call_timeout);
  }
  /// Who sent this message.
  result<peer_identity> identity() const { return sender().identity(); }

  /// For the parts of this library.
  explicit request(detail::counted_ref<detail::incoming_request> at) noexcept
      : at_(std::move(at)) {}

 private:
  detail::counted_ref<detail::incoming_request> at_;
};

/// Somebody asks for a stream: accept() or refuse(). A resource, move-only; destroyed without
/// either, the caller reads no_reply. Threads: any, one at a time.
class subscription {
 public:
  subscription(subscription&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)),
        body_(std::move(other.body_)),
        call_timeout_(other.call_timeout_) {}
  subscription& operator=(subscription&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(body_, other.body_);
    call_timeout_ = other.call_timeout_;
    return *this;
  }
  ~subscription() {
    if (at_) openxpc_subscription_release(at_);
  }

  /// What is asked for.
  const dictionary& body() const noexcept { return body_; }
  /// As dictionary::get(); views live as long as the subscription.
  template <class... T, class... K>
  auto get(const K&... keys) const& {
    return body_.get<T...>(keys...);
  }
  template <class... T, class... K>
  auto get(const K&... keys) const&& {
    static_assert(!detail::views<T...>,
                  "a view into a temporary subscription would dangle: keep it, or read an owner");
    return body_.get<T...>(keys...);
  }
  /// Who asks, to talk to.
  peer sender() const {
    return peer(
        detail::handle::adopt(openxpc_subscription_copy_sender(need("xpc::subscription::sender"))),
        call_timeout_);
  }
  /// Begins the stream.
  template <class T = dictionary>
  stream_writer<T> accept(stream_options options = {}) && {
    auto policy = static_cast<openxpc_when_full>(options.policy);
    openxpc_subscription_t held = need("xpc::subscription::accept");
    at_ = nullptr;
    return stream_writer<T>(openxpc_subscription_accept(held, policy, options.buffer_bytes));
  }
  /// Says why not; the caller's stream ends with that failure.
  void refuse(failure why) && {
    openxpc_subscription_t held = need("xpc::subscription::refuse");
    at_ = nullptr;
    openxpc_subscription_refuse(held, why.native_handle());
  }

  /// For the parts of this library: refuses unless that is settled.
  void refuse_if_open(failure why) && {
    if (at_) std::move(*this).refuse(std::move(why));
  }
  subscription(openxpc_subscription_t owned, std::chrono::nanoseconds call_timeout)
      : at_(owned),
        body_(*dictionary::from_native(openxpc_subscription_get_message(owned))),
        call_timeout_(call_timeout) {}

 private:
  openxpc_subscription_t need(const char* function) const {
    if (!at_) openxpc_misuse(function, "the subscription was accepted, refused or moved from");
    return at_;
  }
  openxpc_subscription_t at_;
  dictionary body_;
  std::chrono::nanoseconds call_timeout_;
};

}  // namespace xpc
