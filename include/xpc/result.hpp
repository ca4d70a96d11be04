#pragma once

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/runtime.h>
#include <xpc/openxpc/value.h>

#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

/// Failures as values: `result<T>` holds a T or a `failure`, which says what went wrong, why, and
/// what to do next.
namespace xpc {

class dictionary;
struct entry;

/// Why something failed; failure::can_retry() says which of them may go away by themselves.
enum class errc : int {
  not_found = OPENXPC_ERROR_NOT_FOUND,  ///< no service of that name here
  no_domain = OPENXPC_ERROR_NO_DOMAIN,  ///< no service manager in this domain; the remedy says how
                                        ///< to start one
  denied = OPENXPC_ERROR_DENIED,        ///< the name is not for this user
  launch_failed = OPENXPC_ERROR_LAUNCH_FAILED,  ///< the service cannot be started or keeps dying
  interrupted = OPENXPC_ERROR_INTERRUPTED,      ///< the other process went away in the middle
  canceled = OPENXPC_ERROR_CANCELED,  ///< this side cancelled, or used a conversation that is over
  peer_refused = OPENXPC_ERROR_PEER_REFUSED,      ///< the peer does not meet our requirement
  refused = OPENXPC_ERROR_REFUSED,                ///< the peer did not want us
  incompatible = OPENXPC_ERROR_INCOMPATIBLE,      ///< versions do not meet
  unknown_method = OPENXPC_ERROR_UNKNOWN_METHOD,  ///< no such method or operation
  timed_out =
      OPENXPC_ERROR_TIMED_OUT,        ///< the deadline passed; a late reply is dropped and counted
  no_reply = OPENXPC_ERROR_NO_REPLY,  ///< the request was dropped unanswered
  service_failed = OPENXPC_ERROR_SERVICE_FAILED,  ///< the handler threw
  remote = OPENXPC_ERROR_REMOTE,  ///< the service's own error: domain, number and message are the
                                  ///< service's
  would_block = OPENXPC_ERROR_WOULD_BLOCK,  ///< the limit of unsent bytes is reached
  too_large = OPENXPC_ERROR_TOO_LARGE,      ///< over the receiver's message limit
  too_many = OPENXPC_ERROR_TOO_MANY,  ///< too many unanswered requests, or clients without hello
  missing_key = OPENXPC_ERROR_MISSING_KEY,    ///< reading a value: nothing is there
  wrong_type = OPENXPC_ERROR_WRONG_TYPE,      ///< reading a value: another type is there
  out_of_range = OPENXPC_ERROR_OUT_OF_RANGE,  ///< reading a value: the number does not fit
  malformed = OPENXPC_ERROR_MALFORMED,        ///< bytes or text that break their format
  invalid_argument =
      OPENXPC_ERROR_INVALID_ARGUMENT,  ///< a name that does not parse, a value that cannot be sent
  no_resources = OPENXPC_ERROR_NO_RESOURCES,    ///< no descriptors or memory are left in the system
  unsupported = OPENXPC_ERROR_UNSUPPORTED,      ///< not on this kernel
  end_of_stream = OPENXPC_ERROR_END_OF_STREAM,  ///< the writer ended in order
};

/// What went wrong, why, and what to do next. A value, immutable; copying costs a reference count.
/// Threads: any. A moved-from failure may only be assigned to or destroyed.
class failure {
 public:
  /// A service's own error with words only: code remote, domain "app", number 0.
  explicit failure(std::string_view message) : failure("app", 0, message) {}
  /// A service's own error: code remote, with the service's domain and number.
  failure(std::string_view domain, int number, std::string_view message)
      : failure(errc::remote, domain, number, message) {}
  /// One of this library's conditions, e.g. `failure(errc::unknown_method, op)`.
  failure(errc code, std::string_view message) : failure(code, {}, 0, message) {}
  /// A system's error as a service's own: code remote, domain the category's name, number the
  /// value, message `message` followed by the system's words.
  explicit failure(std::error_code code, std::string_view message = {})
      : failure(errc::remote, code.category().name(), code.value(),
                message.empty() ? code.message() : std::string(message) + ": " + code.message()) {}

  failure(const failure& other) noexcept : error_(other.error_) {
    if (error_) xpc_retain(error_);
  }
  failure(failure&& other) noexcept : error_(std::exchange(other.error_, nullptr)) {}
  failure& operator=(failure other) noexcept {
    std::swap(error_, other.error_);
    return *this;
  }
  ~failure() {
    if (error_) xpc_release(error_);
  }

  errc code() const { return static_cast<errc>(openxpc_error_get_code(error_)); }
  /// Whose number() it is. The text lives as long as this failure or a copy.
  std::string_view domain() const { return openxpc_error_get_domain(error_); }
  int number() const { return static_cast<int>(openxpc_error_get_number(error_)); }
  /// One line: what failed and why. The text lives as long as this failure or a copy.
  std::string_view message() const { return openxpc_error_get_message(error_); }
  /// What to do next, often a command; may be empty. The text lives as long as this failure or a
  /// copy.
  std::string_view remedy() const { return openxpc_error_get_remedy(error_); }
  /// Several lines for people: what failed, the chain of causes, how the peer ended, the remedy.
  std::string explain() const {
    std::unique_ptr<char, decltype(&std::free)> text(openxpc_error_copy_explanation(error_),
                                                     &std::free);
    return text.get();
  }
  /// What led to it.
  std::optional<failure> cause() const {
    xpc_rich_error_t cause = openxpc_error_get_cause(error_);
    if (!cause) return std::nullopt;
    return from_native(cause);
  }
  /// How the other process ended, as wait(2) gives it, where that is known.
  std::optional<int> peer_exit_status() const {
    int status;
    if (!openxpc_error_get_exit_status(error_, &status)) return std::nullopt;
    return status;
  }
  /// Whether the same call may work if repeated.
  bool can_retry() const {
    return (openxpc_error_get_flags(error_) & OPENXPC_ERROR_CAN_RETRY) != 0;
  }
  /// The same failure with `context` in front of its message, e.g. "rows[3].size: ".
  failure within(std::string_view context) const {
    return adopt_native(openxpc_error_create_within(error_, context.data(), context.size()));
  }
  friend bool operator==(const failure& one, errc code) { return one.code() == code; }

  /// Lent, for C functions; lives as long as this failure or a copy.
  xpc_rich_error_t native_handle() const { return error_; }
  /// A failure out of a C function's error, which stays the caller's.
  static failure from_native(xpc_rich_error_t borrowed) {
    xpc_retain(borrowed);
    return adopt_native(borrowed);
  }
  /// The same, and takes the caller's reference over.
  static failure adopt_native(xpc_rich_error_t owned) { return failure(owned); }

 private:
  explicit failure(xpc_rich_error_t owned) noexcept : error_(owned) {}
  failure(errc code, const std::string& domain, int number, const std::string& message) {
    openxpc_error_parts_t parts{};
    parts.struct_size = sizeof parts;
    parts.code = static_cast<openxpc_error_code_t>(code);
    parts.domain = domain.empty() ? nullptr : domain.c_str();
    parts.number = number;
    parts.message = message.c_str();
    error_ = openxpc_error_create(&parts);
  }
  failure(errc code, std::string_view domain, int number, std::string_view message)
      : failure(code, std::string(domain), number, std::string(message)) {}

  xpc_rich_error_t error_;
};

/// What result::value() throws when there is none: the only exception of this library beside
/// bad_alloc. Leaving a handler it becomes the reply, leaving a task its outcome.
class bad_result : public std::exception {
 public:
  explicit bad_result(failure why) : why_(std::move(why)) {}
  const failure& error() const noexcept { return why_; }
  const char* what() const noexcept override {
    return openxpc_error_get_message(why_.native_handle());
  }

 private:
  failure why_;
};

namespace detail {

[[noreturn, gnu::noinline]] inline void die_of(const failure& why) {
  std::fprintf(stderr, "xpc::result: a value was taken out of a failure: %s\n",
               why.explain().c_str());
  std::abort();
}

[[noreturn, gnu::noinline]] inline void throw_bad_result(const failure& why) {
#if defined(__cpp_exceptions)
  throw bad_result(why);
#else
  die_of(why);
#endif
}

[[noreturn, gnu::noinline]] inline void die_of_no_failure() {
  std::fprintf(stderr, "xpc::result: error() of a result that has a value\n");
  std::abort();
}

/// What `return {{"key", 1}};` is made of; only dictionaries have it.
class no_entry {
  no_entry() = default;
};
template <class T>
struct literal {
  using type = no_entry;
};
template <>
struct literal<dictionary> {
  using type = entry;
};

template <class T>
inline constexpr bool is_failure = std::is_same_v<std::remove_cvref_t<T>, failure>;

}  // namespace detail

template <class T>
class result;

namespace detail {

template <class>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

}  // namespace detail

/// A T, or the failure that stands in its place. A value or a resource as T is. Taking the value
/// out of a failure: value() throws bad_result (or, built without exceptions, prints and aborts);
/// the operators print explain() and abort in every build. Not looking at a returned result is a
/// warning.
template <class T>
class [[nodiscard("it may hold a failure: look at it, or write .value()")]] result {
  static_assert(std::is_object_v<T> && !detail::is_failure<T> && !detail::is_result<T>);

 public:
  using value_type = T;

  /// A default T.
  result()
    requires std::default_initializable<T>
      : has_(true) {
    std::construct_at(&value_);
  }
  /// A value, from whatever converts to T.
  template <class U = T>
    requires(std::is_convertible_v<U, T> && !detail::is_failure<U> &&
             !detail::is_result<std::remove_cvref_t<U>>)
  result(U&& value) : has_(true) {
    std::construct_at(&value_, std::forward<U>(value));
  }
  /// A failure.
  result(failure why) noexcept : error_(std::move(why)), has_(false) {}
  /// A result whose value converts.
  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U, T>)
  result(result<U> other) : has_(other.has_value()) {
    if (has_) {
      std::construct_at(&value_, *std::move(other));
    } else {
      std::construct_at(&error_, std::move(other).error());
    }
  }
  /// For dictionaries: `return {{"key", 1}, {"other", "x"}};`.
  result(std::initializer_list<typename detail::literal<T>::type> entries)
    requires std::is_same_v<T, dictionary>
      : has_(true) {
    std::construct_at(&value_, T::from({entries.begin(), entries.size()}));
  }

  result(const result& other)
    requires std::copy_constructible<T>
      : has_(other.has_) {
    if (has_) {
      std::construct_at(&value_, other.value_);
    } else {
      std::construct_at(&error_, other.error_);
    }
  }
  result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_(other.has_) {
    if (has_) {
      std::construct_at(&value_, std::move(other.value_));
    } else {
      std::construct_at(&error_, std::move(other.error_));
    }
  }
  result& operator=(const result& other)
    requires std::copy_constructible<T>
  {
    return *this = result(other);
  }
  result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
    if (this != &other) {
      std::destroy_at(this);
      std::construct_at(this, std::move(other));
    }
    return *this;
  }
  ~result() {
    if (has_) {
      std::destroy_at(&value_);
    } else {
      std::destroy_at(&error_);
    }
  }

  bool has_value() const noexcept { return has_; }
  explicit operator bool() const noexcept { return has_; }

  /// The failure; prints and aborts when there is a value.
  const failure& error() const& {
    if (has_) detail::die_of_no_failure();
    return error_;
  }
  failure error() && {
    if (has_) detail::die_of_no_failure();
    return std::move(error_);
  }

  /// The value; out of a temporary it is moved out, so nothing dangles.
  T& value() & {
    if (!has_) detail::throw_bad_result(error_);
    return value_;
  }
  const T& value() const& {
    if (!has_) detail::throw_bad_result(error_);
    return value_;
  }
  T value() && {
    if (!has_) detail::throw_bad_result(error_);
    return std::move(value_);
  }

  T& operator*() & {
    if (!has_) detail::die_of(error_);
    return value_;
  }
  const T& operator*() const& {
    if (!has_) detail::die_of(error_);
    return value_;
  }
  T operator*() && {
    if (!has_) detail::die_of(error_);
    return std::move(value_);
  }
  T* operator->() & { return std::addressof(**this); }
  const T* operator->() const& { return std::addressof(**this); }
  T* operator->() && = delete;
  const T* operator->() const&& = delete;

  /// The value, or `other` in the place of any failure.
  template <class U>
  T value_or(U&& other) const& {
    return has_ ? value_ : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  T value_or(U&& other) && {
    return has_ ? std::move(value_) : static_cast<T>(std::forward<U>(other));
  }

  /// `next(value)`, which returns a result; a failure is passed on.
  template <class F>
  auto and_then(F&& next) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
    if (!has_) return error_;
    return std::forward<F>(next)(value_);
  }
  template <class F>
  auto and_then(F&& next) && -> std::remove_cvref_t<std::invoke_result_t<F, T>> {
    if (!has_) return std::move(error_);
    return std::forward<F>(next)(std::move(value_));
  }
  /// A result of `change(value)`; a failure is passed on.
  template <class F>
  auto transform(
      F&& change) const& -> result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>>;
  template <class F>
  auto transform(F&& change) && -> result<std::remove_cvref_t<std::invoke_result_t<F, T>>>;
  /// `repair(failure)`, which returns a result of the same type; a value is passed on.
  template <class F>
  result or_else(F&& repair) const& {
    if (has_) return *this;
    return std::forward<F>(repair)(error_);
  }
  template <class F>
  result or_else(F&& repair) && {
    if (has_) return std::move(*this);
    return std::forward<F>(repair)(std::move(error_));
  }

 private:
  union {
    T value_;
    failure error_;
  };
  bool has_;
};

/// Done, or the failure that stands in its place: `return {};` says done.
template <>
class [[nodiscard("it may hold a failure: look at it, or write .value()")]] result<void> {
 public:
  using value_type = void;

  result() noexcept = default;
  result(failure why) noexcept : error_(std::move(why)) {}

  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return !error_; }
  const failure& error() const& {
    if (!error_) detail::die_of_no_failure();
    return *error_;
  }
  failure error() && {
    if (!error_) detail::die_of_no_failure();
    return *std::move(error_);
  }
  /// Throws bad_result on a failure; built without exceptions it prints and aborts.
  void value() const {
    if (error_) detail::throw_bad_result(*error_);
  }
  void operator*() const {
    if (error_) detail::die_of(*error_);
  }

  template <class F>
  auto and_then(F&& next) const -> std::remove_cvref_t<std::invoke_result_t<F>> {
    if (error_) return *error_;
    return std::forward<F>(next)();
  }
  template <class F>
  auto transform(F&& change) const -> result<std::remove_cvref_t<std::invoke_result_t<F>>> {
    using to = std::remove_cvref_t<std::invoke_result_t<F>>;
    if (error_) return *error_;
    if constexpr (std::is_void_v<to>) {
      std::forward<F>(change)();
      return {};
    } else {
      return result<to>(std::forward<F>(change)());
    }
  }
  template <class F>
  result or_else(F&& repair) const {
    if (!error_) return {};
    return std::forward<F>(repair)(*error_);
  }

 private:
  std::optional<failure> error_;
};

template <class T>
template <class F>
auto result<T>::transform(
    F&& change) const& -> result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>> {
  using to = std::remove_cvref_t<std::invoke_result_t<F, const T&>>;
  if (!has_) return error_;
  if constexpr (std::is_void_v<to>) {
    std::forward<F>(change)(value_);
    return {};
  } else {
    return result<to>(std::forward<F>(change)(value_));
  }
}

template <class T>
template <class F>
auto result<T>::transform(
    F&& change) && -> result<std::remove_cvref_t<std::invoke_result_t<F, T>>> {
  using to = std::remove_cvref_t<std::invoke_result_t<F, T>>;
  if (!has_) return std::move(error_);
  if constexpr (std::is_void_v<to>) {
    std::forward<F>(change)(std::move(value_));
    return {};
  } else {
    return result<to>(std::forward<F>(change)(std::move(value_)));
  }
}

/// For main(): writes explain() to standard error and returns the code of <sysexits.h> that fits.
inline int report(const failure& why) {
  std::fprintf(stderr, "%s\n", why.explain().c_str());
  return openxpc_error_get_exit_code(why.native_handle());
}

}  // namespace xpc
