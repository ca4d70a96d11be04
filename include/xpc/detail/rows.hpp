#pragma once

#include <xpc/object.hpp>
#include <xpc/task.hpp>

#include <chrono>

namespace xpc {

/// One row of a stream.
template <class T>
struct row {
  T value;
  std::uint64_t sequence;  ///< from the writer's count: rises by one, and by `missed` more
  std::uint64_t missed;    ///< rows that were dropped just before this one
};

/// Numbers since a stream began; nothing is dropped without being counted.
struct stream_counts {
  std::uint64_t sent, delivered, waiting, missed, bytes;
};

/// What a writer does with a row for which its reader has no credit and the buffer no room.
enum class when_full : int {
  wait = OPENXPC_WHEN_FULL_WAIT,  ///< send() waits, try_send() says would_block
  drop_oldest =
      OPENXPC_WHEN_FULL_DROP_OLDEST,  ///< the reader sees the gap in `sequence` and `missed`
  drop_newest = OPENXPC_WHEN_FULL_DROP_NEWEST,
  disconnect = OPENXPC_WHEN_FULL_DISCONNECT  ///< the stream fails with would_block
};

/// How to write.
struct stream_options {
  std::uint64_t buffer_bytes = 1 << 20;  ///< what may wait here for the reader's credit
  when_full policy = when_full::wait;
};

/// How to read.
struct subscribe_options {
  std::uint64_t credit_bytes = 1 << 20;  ///< what may be on its way or wait here, untaken
  std::stop_token stop = {};             ///< cancels the stream
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);  ///< until the service has accepted
};

/// No deadline.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

namespace detail {

/// As the C functions take it, where 0 means their default.
inline std::uint64_t timeout_ns(std::chrono::nanoseconds timeout) noexcept {
  if (timeout == no_timeout) return OPENXPC_FOREVER;
  return timeout.count() > 0 ? static_cast<std::uint64_t>(timeout.count()) : 1;
}

inline result<void> done_or(xpc_rich_error_t owned) {
  if (!owned) return {};
  return failure::adopt_native(owned);
}

// Rows are dictionaries; values of other types travel as {"value": ...}.
inline const dictionary& to_row(const dictionary& what) { return what; }
template <class T>
dictionary to_row(const T& what) {
  return {{"value", what}};
}
template <class T>
result<T> from_row(xpc_object_t owned) {
  dictionary whole = dictionary::adopt_native(owned);
  if constexpr (std::same_as<T, dictionary>) {
    return whole;
  } else {
    return std::as_const(whole).template get<T>("value");
  }
}

/// A reference to something with retain() and release().
template <class T>
class counted_ref {
 public:
  counted_ref() noexcept = default;
  counted_ref(const counted_ref& other) noexcept : at_(other.at_) {
    if (at_) at_->retain();
  }
  counted_ref(counted_ref&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  counted_ref& operator=(counted_ref other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~counted_ref() {
    if (at_) at_->release();
  }
  static counted_ref adopt(T* owned) noexcept {
    counted_ref made;
    made.at_ = owned;
    return made;
  }
  static counted_ref share(T* borrowed) noexcept {
    borrowed->retain();
    return adopt(borrowed);
  }
  [[nodiscard]] T* release() noexcept { return std::exchange(at_, nullptr); }
  T* get() const noexcept { return at_; }
  T* operator->() const noexcept { return at_; }
  T& operator*() const noexcept { return *at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }

 private:
  T* at_ = nullptr;
};

/// The count for such.
class counted {
 public:
  counted() noexcept = default;
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  virtual ~counted() = default;

 private:
  std::atomic<std::uint32_t> count_{1};
};

/// Completes a cell<void> out of a C function that calls `done(context, error)`; holds the cell
/// meanwhile.
inline void complete_cell(void* context, xpc_rich_error_t error) {
  auto* waiting = static_cast<cell<void>*>(context);
  waiting->complete(done_or(error));
  waiting->release();
}

}  // namespace detail
}  // namespace xpc
