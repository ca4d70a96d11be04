#pragma once

#include <xpc/detail/rows.hpp>

namespace xpc::detail {

/// A stop token for a C object that calls back once: `watch(context, fired)` asks for it. The
/// source lives until the C object promises not to call any more.
class stop_bridge {
 public:
  template <class Watch>
  std::stop_token token(Watch watch) {
    if (!source_) {
      source_ = std::make_unique<std::stop_source>();
      watch(source_.get(), [](void* held) {
        // A copy: what stops may end the life of the bridge.
        std::stop_source source = *static_cast<std::stop_source*>(held);
        source.request_stop();
      });
    }
    return source_->get_token();
  }

 private:
  std::unique_ptr<std::stop_source> source_;
};

/// A stream's writing end.
class writer {
 public:
  explicit writer(openxpc_writer_t owned) noexcept : at_(owned) {}
  writer(writer&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), stop_(std::move(other.stop_)) {}
  writer& operator=(writer&& other) noexcept {
    if (this != &other) {
      end();
      at_ = std::exchange(other.at_, nullptr);
      stop_ = std::move(other.stop_);
    }
    return *this;
  }
  ~writer() { end(); }

  pending<void> send(const dictionary& row) {
    if (openxpc_writer_send_now(need("xpc::stream_writer::send"), row.native_handle()))
      return succeeded();
    auto* waiting = new cell<void>;
    waiting->retain();
    openxpc_writer_send_when_ready(need("xpc::stream_writer::send"), row.native_handle(), waiting,
                                   &complete_cell);
    return {waiting, cell<void>::operations()};
  }
  result<void> try_send(const dictionary& row) {
    return done_or(
        openxpc_writer_try_send(need("xpc::stream_writer::try_send"), row.native_handle()));
  }
  void fail(const failure& why) && {
    openxpc_writer_fail(need("xpc::stream_writer::fail"), why.native_handle());
    at_ = nullptr;
  }
  std::stop_token stop_token() {
    return stop_.token([this](void* context, void (*fired)(void*)) {
      openxpc_writer_on_stop(need("xpc::stream_writer::stop_token"), context, fired);
    });
  }
  stream_counts counts() const {
    openxpc_stream_counts_s now{};
    now.size = sizeof now;
    openxpc_writer_get_counts(need("xpc::stream_writer::counts"), &now);
    return {now.sent, now.delivered, now.waiting, now.missed, now.bytes};
  }
  openxpc_writer_t release() && {
    openxpc_writer_on_stop(at_, nullptr, nullptr);
    return std::exchange(at_, nullptr);
  }
  openxpc_writer_t get() const noexcept { return at_; }

 private:
  openxpc_writer_t need(const char* function) const {
    if (!at_) openxpc_misuse(function, "the writer was moved from, or has ended its stream");
    return at_;
  }
  void end() noexcept {
    if (at_) openxpc_writer_release(std::exchange(at_, nullptr));
  }

  openxpc_writer_t at_;
  stop_bridge stop_;
};

}  // namespace xpc::detail
