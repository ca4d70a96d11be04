#pragma once

#include <xpc/detail/leaves.hpp>

#include <iterator>
#include <optional>
#include <string_view>

/// How C++ values become XPC values: `value`, which parameters are made of, and `entry`, a key with
/// one.
namespace xpc {

class object;
class dictionary;
class array;

/// Yours to specialise, in namespace xpc, for a type of your own:
///     static object encode(const T&);
///     static result<T> decode(const object&);
template <class T>
struct codec;

namespace detail {

template <class T>
concept character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
template <class T>
concept number = std::integral<T> && !character<T> && !std::same_as<T, bool>;
template <class T>
concept container = std::same_as<T, object> || std::same_as<T, dictionary> ||
                    std::same_as<T, array> || std::same_as<T, data> || std::same_as<T, endpoint>;
template <class T>
concept encodable = requires(const T& what) { codec<T>::encode(what); };
template <class T>
concept textual =
    std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
inline constexpr bool is_sys_time = false;
template <class D>
inline constexpr bool is_sys_time<std::chrono::sys_time<D>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
concept iterable = requires(const T& all) {
  std::begin(all) != std::end(all);
  ++std::declval<decltype(std::begin(all))&>();
};
template <iterable T>
using element_of = std::iter_value_t<decltype(std::begin(std::declval<const T&>()))>;

enum class form {
  refused,
  boolean,
  sint,
  uint,
  real,
  text,
  bytes,
  date,
  uuid,
  fd,
  null,
  container,
  optional,
  map,
  range,
  coded
};

template <class T>
consteval form form_of();

template <class T>
consteval form form_of_iterable() {
  using E = element_of<T>;
  if constexpr (std::same_as<E, T> || (number<E> && sizeof(E) == 1) || character<E>) {
    return form::refused;
  } else if constexpr (std::same_as<E, std::byte>) {
    if constexpr (requires(const T& all) {
                    std::span<const std::byte>(std::data(all), std::size(all));
                  }) {
      return form::bytes;
    } else {
      return form::refused;
    }
  } else if constexpr (requires { typename T::mapped_type; }) {
    if constexpr (textual<typename T::key_type>) {
      return form_of<typename T::mapped_type>() == form::refused ? form::refused : form::map;
    } else {
      return form::refused;
    }
  } else {
    return form_of<E>() == form::refused ? form::refused : form::range;
  }
}

/// What becomes of a T; `refused` where two readings are possible or none.
template <class T>
consteval form form_of() {
  if constexpr (std::same_as<T, bool>) {
    return form::boolean;
  } else if constexpr (std::same_as<T, std::nullptr_t>) {
    return form::null;
  } else if constexpr (number<T>) {
    return std::signed_integral<T> ? form::sint : form::uint;
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    return form::real;
  } else if constexpr (std::same_as<T, xpc::uuid>) {
    return form::uuid;
  } else if constexpr (std::same_as<T, xpc::fd>) {
    return form::fd;
  } else if constexpr (container<T>) {
    return form::container;
  } else if constexpr (encodable<T>) {
    return form::coded;
  } else if constexpr (textual<T>) {
    return form::text;
  } else if constexpr (is_sys_time<T>) {
    return form::date;
  } else if constexpr (is_optional<T>) {
    return form_of<typename T::value_type>() == form::refused ? form::refused : form::optional;
  } else if constexpr (iterable<T>) {
    return form_of_iterable<T>();
  } else {
    return form::refused;
  }
}

template <class T>
concept writable = form_of<T>() != form::refused;

/// A key or a name: anything that converts to std::string_view, borrowed for the call.
class key {
 public:
  template <class T>
    requires textual<T>
  key(const T& text) : text_(text) {}
  const char* data() const noexcept { return text_.data(); }
  std::size_t size() const noexcept { return text_.size(); }
  std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

}  // namespace detail

/// Whatever can be written into a message: booleans, integers, float and double, text, bytes (spans
/// of std::byte and `data`), std::chrono::sys_time, uuid, fd, endpoint, nullptr, dictionary and
/// array, ranges and maps with text keys of such, std::optional, types with a codec, and nested
/// `{{"key", v}, ...}`. Refused at compile time: characters, other pointers, enums, durations, long
/// double, ranges of 8-bit integers, `{}`, `{1, 2}`. For parameters only: it may borrow from what
/// it was made of. Text that is not UTF-8 or holds a NUL, and a descriptor that is not open, is
/// misuse.
class value {
 public:
  value() = delete;
  template <class T>
    requires detail::writable<T>
  value(const T& from) {
    describe(from);
  }
  value(value&&) noexcept = default;
  value& operator=(value&&) noexcept = default;
  value(const value&) = delete;
  value& operator=(const value&) = delete;
  ~value() = default;

  // One to sixteen entries make a dictionary. Constructors of fixed length, since g++ 12 refuses
  // every std::initializer_list inside a co_await expression.
  using e = const entry&;
  value(e a);
  value(e a, e b);
  value(e a, e b, e c);
  value(e a, e b, e c, e d);
  value(e a, e b, e c, e d, e f);
  value(e a, e b, e c, e d, e f, e g);
  value(e a, e b, e c, e d, e f, e g, e h);
  value(e a, e b, e c, e d, e f, e g, e h, e i);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p);
  value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p, e q);

  /// Stores it under a key of a dictionary object; an empty optional removes the key.
  void store(xpc_object_t dictionary, const detail::key& key) const {
    if (object_) {
      openxpc_dictionary_set_value(dictionary, key.data(), key.size(), object_);
    } else {
      openxpc_dictionary_write(dictionary, key.data(), key.size(), &at_);
    }
  }
  /// For openxpc_dictionary_create_with(): lends what this value lends or owns.
  openxpc_entry_t as_entry(const detail::key& key) const noexcept {
    return {key.data(), key.size(), &at_, object_};
  }
  /// Stores it in an array object, at `index` or, with SIZE_MAX, behind the last; an empty optional
  /// as null.
  void store(xpc_object_t array, std::size_t index) const {
    if (object_) {
      openxpc_array_put(array, index, xpc_retain(object_));
    } else {
      openxpc_array_write(array, index, &at_);
    }
  }
  /// The object that it lends or owns, where it is one; null else.
  xpc_object_t object() const noexcept { return object_; }
  /// As an owned object; an empty optional as null.
  [[nodiscard]] xpc_object_t create() const {
    return object_ ? xpc_retain(object_) : openxpc_value_create(&at_);
  }

 private:
  template <class T>
  void describe(const T& from);
  void own(detail::handle container) noexcept {
    owned_ = std::move(container);
    object_ = owned_.get();
  }

  openxpc_value_t at_{OPENXPC_TYPE_NONE, -1, {}, 0};
  xpc_object_t object_ = nullptr;  // an object instead of the above, lent or ours
  detail::handle owned_;
};

/// A key with a value, for parameters: `{"key", 1}`.
struct entry {
  entry(detail::key name, value what) noexcept : key(name), content(std::move(what)) {}
  detail::key key;
  value content;
};

namespace detail {

/// An owned dictionary of these entries, at most sixteen; of equal keys the last one stays.
inline handle dictionary_of(std::initializer_list<const entry*> entries) {
  openxpc_entry_t all[16];
  std::size_t count = 0;
  for (const entry* each : entries) all[count++] = each->content.as_entry(each->key);
  return handle::adopt(openxpc_dictionary_create_with(all, count));
}

}  // namespace detail

// clang-format off
inline value::value(e a) { own(detail::dictionary_of({&a})); }
inline value::value(e a, e b) { own(detail::dictionary_of({&a, &b})); }
inline value::value(e a, e b, e c) { own(detail::dictionary_of({&a, &b, &c})); }
inline value::value(e a, e b, e c, e d) { own(detail::dictionary_of({&a, &b, &c, &d})); }
inline value::value(e a, e b, e c, e d, e f) { own(detail::dictionary_of({&a, &b, &c, &d, &f})); }
inline value::value(e a, e b, e c, e d, e f, e g) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o, &p})); }
inline value::value(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p, e q) { own(detail::dictionary_of({&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o, &p, &q})); }
// clang-format on

template <class T>
void value::describe(const T& from) {
  using detail::form;
  constexpr form how = detail::form_of<T>();
  if constexpr (how == form::boolean) {
    at_.type = OPENXPC_TYPE_BOOL;
    at_.as.boolean = from;
  } else if constexpr (how == form::sint) {
    at_.type = OPENXPC_TYPE_INT64;
    at_.as.int64 = from;
  } else if constexpr (how == form::uint) {
    at_.type = OPENXPC_TYPE_UINT64;
    at_.as.uint64 = from;
  } else if constexpr (how == form::real) {
    at_.type = OPENXPC_TYPE_DOUBLE;
    at_.as.real = from;
  } else if constexpr (how == form::text) {
    std::string_view text = from;
    at_.type = OPENXPC_TYPE_STRING;
    at_.as.text = text.data();
    at_.size = text.size();
  } else if constexpr (how == form::bytes) {
    at_.type = OPENXPC_TYPE_DATA;
    at_.as.bytes = std::data(from);
    at_.size = std::size(from);
  } else if constexpr (how == form::date) {
    at_.type = OPENXPC_TYPE_DATE;
    at_.as.int64 = std::chrono::floor<std::chrono::nanoseconds>(from.time_since_epoch()).count();
  } else if constexpr (how == form::uuid) {
    at_.type = OPENXPC_TYPE_UUID;
    at_.as.bytes = from.bytes().data();
  } else if constexpr (how == form::fd) {
    at_.type = OPENXPC_TYPE_FD;
    at_.borrowed_fd = from.get();
  } else if constexpr (how == form::null) {
    at_.type = OPENXPC_TYPE_NULL;
  } else if constexpr (how == form::container) {
    object_ = from.native_handle();
  } else if constexpr (how == form::optional) {
    if (from) describe(*from);
  } else if constexpr (how == form::coded) {
    own(detail::handle::share(codec<T>::encode(from).native_handle()));
  } else if constexpr (how == form::map) {
    own(detail::handle::adopt(openxpc_dictionary_create()));
    for (const auto& [name, content] : from) value(content).store(owned_.get(), detail::key(name));
  } else {
    own(detail::handle::adopt(openxpc_array_create()));
    for (auto at = std::begin(from); at != std::end(from); ++at)
      value(static_cast<const detail::element_of<T>&>(*at)).store(owned_.get(), SIZE_MAX);
  }
}

}  // namespace xpc
