#pragma once

#include <xpc/detail/rows.hpp>

namespace xpc::detail {

/// A stream's reading end, shared by the stream and its pending next().
template <class T>
class reader final : public counted {
 public:
  static counted_ref<reader> make(openxpc_stream_t owned, std::stop_token stop) {
    auto made = counted_ref<reader>::adopt(new reader(owned));
    if (stop.stop_possible()) made->on_stop_.emplace(std::move(stop), canceller{owned});
    return made;
  }

  pending<row<T>> next() {
    static constexpr operation<row<T>> all{
        [](void* me) { return outcome<row<T>>{at(me)->wait_next(), nullptr}; },
        [](void* me) { return at(me)->look(); },
        [](void* me, const executor* on, continuation<row<T>>* next) { at(me)->then(on, next); },
        [](void* me) { at(me)->cancel(); },
        [](void* me) { at(me)->release(); },
        [](void* me) { at(me)->release(); },
    };
    this->retain();
    return {this, &all};
  }
  result<std::optional<row<T>>> try_next() {
    if (!look()) return std::optional<row<T>>();
    return take().transform([](row<T> one) { return std::optional<row<T>>(std::move(one)); });
  }
  result<void> outcome_so_far() const { return done_or(openxpc_stream_copy_error(stream_)); }
  stream_counts counts() const {
    openxpc_stream_counts_s now{};
    now.size = sizeof now;
    openxpc_stream_get_counts(stream_, &now);
    return {now.sent, now.delivered, now.waiting, now.missed, now.bytes};
  }
  void cancel() noexcept { openxpc_stream_cancel(stream_); }

 private:
  struct canceller {
    openxpc_stream_t of;
    void operator()() const noexcept { openxpc_stream_cancel(of); }
  };
  explicit reader(openxpc_stream_t owned) noexcept : stream_(owned) {}
  ~reader() override {
    on_stop_.reset();
    if (seen_ == OPENXPC_NEXT_ROW) xpc_release(row_.value);
    openxpc_stream_release(stream_);
  }
  static reader* at(void* me) noexcept { return static_cast<reader*>(me); }

  /// Whether take() has something to take: a row or the end.
  bool look() {
    if (seen_ == OPENXPC_NEXT_NONE_YET) seen_ = openxpc_stream_try_next(stream_, &row_);
    return seen_ != OPENXPC_NEXT_NONE_YET;
  }
  result<row<T>> take() {
    if (seen_ == OPENXPC_NEXT_END) {
      xpc_rich_error_t why = openxpc_stream_copy_error(stream_);
      if (why) return failure::adopt_native(why);
      return failure(errc::end_of_stream, "the writer ended the stream");
    }
    seen_ = OPENXPC_NEXT_NONE_YET;
    return from_row<T>(row_.value).transform([this](T value) {
      return row<T>{std::move(value), row_.sequence, row_.missed};
    });
  }
  result<row<T>> wait_next() {
    while (!look()) seen_ = openxpc_stream_wait_next(stream_, OPENXPC_FOREVER, &row_);
    return take();
  }
  void then(const executor* on, continuation<row<T>>* next) {
    this->retain();
    on_ = on ? *on : executor();
    next_ = next;
    ask();
  }
  void ask() {
    openxpc_executor_s native = on_.native();
    openxpc_stream_when_ready(stream_, on_ ? &native : nullptr, this, [](void* me) {
      auto self = counted_ref<reader>::adopt(at(me));
      if (!self->look()) return self.release()->ask();
      auto* next = self->next_;
      next->done(next, {self->take(), nullptr});
    });
  }

  openxpc_stream_t stream_;
  openxpc_next seen_ = OPENXPC_NEXT_NONE_YET;
  openxpc_row_s row_{};
  executor on_;
  continuation<row<T>>* next_ = nullptr;
  std::optional<std::stop_callback<canceller>> on_stop_;
};

}  // namespace xpc::detail
