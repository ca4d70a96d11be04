#pragma once

#include <xpc/detail/writing.hpp>

#include <charconv>
#include <tuple>
#include <vector>

/// How XPC values become C++ values.
namespace xpc::detail {

/// Where a value is read: under a key, at an index, or an object itself.
class place {
 public:
  place(xpc_object_t dictionary, const key& name) noexcept
      : in_(dictionary), name_(name.data()), number_(name.size()), step_(step::key) {}
  place(xpc_object_t array, std::size_t index) noexcept
      : in_(array), number_(index), step_(step::index) {}
  explicit place(xpc_object_t object) noexcept : in_(object), step_(step::none) {}

  /// False when nothing is there.
  bool read(openxpc_value_t& found) const {
    if (!in_) return false;
    if (step_ == step::key) return openxpc_dictionary_read(in_, name_, number_, &found);
    if (step_ == step::index) return openxpc_array_read(in_, number_, &found);
    return openxpc_object_read(in_, &found);
  }
  /// The value as an object, lent; null when nothing is there.
  xpc_object_t object() const {
    if (!in_ || step_ == step::none) return in_;
    if (step_ == step::key) return openxpc_dictionary_get_value(in_, name_, number_);
    return openxpc_array_get_value(in_, number_);
  }
  /// "KEY: expected EXPECTED, found ..."
  failure unexpected(const char* expected, const openxpc_value_t* found) const {
    char text[24];
    std::string_view name = named(text);
    return failure::adopt_native(openxpc_error_create_reading(name.empty() ? nullptr : name.data(),
                                                              name.size(), expected, found));
  }
  /// This step in front of a failure from further in.
  failure around(const failure& inner) const {
    if (step_ == step::none) return inner;
    char text[24];
    std::string_view name = named(text);
    return failure::adopt_native(
        openxpc_error_create_below(inner.native_handle(), name.data(), name.size()));
  }

 private:
  enum class step : std::uint8_t { none, key, index };
  std::string_view named(char (&text)[24]) const {
    if (step_ == step::key) return {name_, number_};
    if (step_ == step::none) return {};
    text[0] = '[';
    char* end = std::to_chars(text + 1, text + sizeof text - 1, number_).ptr;
    *end++ = ']';
    return {text, static_cast<std::size_t>(end - text)};
  }

  xpc_object_t in_;
  const char* name_ = nullptr;
  std::size_t number_ = 0;
  step step_;
};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
concept decodable = requires(const object& from) { codec<T>::decode(from); };

/// What may stand between the angle brackets of get and as.
template <class T>
consteval bool is_readable() {
  if constexpr (is_vector<T> || is_optional<T>) {
    return is_readable<typename T::value_type>();
  } else {
    return std::same_as<T, bool> || number<T> || std::same_as<T, float> ||
           std::same_as<T, double> || std::same_as<T, std::string> ||
           std::same_as<T, std::string_view> || std::same_as<T, std::span<const std::byte>> ||
           is_sys_time<T> || std::same_as<T, xpc::uuid> || std::same_as<T, xpc::fd> ||
           container<T> || decodable<T>;
  }
}
template <class T>
concept readable = is_readable<T>();

/// Whether it looks into the object that it was read from.
template <class T>
consteval bool is_view() {
  if constexpr (is_vector<T> || is_optional<T>) {
    return is_view<typename T::value_type>();
  } else {
    return std::same_as<T, std::string_view> || std::same_as<T, std::span<const std::byte>>;
  }
}
template <class... T>
concept views = (is_view<T>() || ...);

template <class T>
consteval const char* integer_name() {
  constexpr int size = sizeof(T);
  if (std::signed_integral<T>)
    return size == 1 ? "int8" : size == 2 ? "int16" : size == 4 ? "int32" : "int64";
  return size == 1 ? "uint8" : size == 2 ? "uint16" : size == 4 ? "uint32" : "uint64";
}

template <class T>
result<T> read_integer(const place& at) {
  openxpc_value_t found{};
  if (!at.read(found)) return at.unexpected(integer_name<T>(), nullptr);
  if (found.type == OPENXPC_TYPE_INT64 && std::in_range<T>(found.as.int64))
    return static_cast<T>(found.as.int64);
  if (found.type == OPENXPC_TYPE_UINT64 && std::in_range<T>(found.as.uint64))
    return static_cast<T>(found.as.uint64);
  return at.unexpected(integer_name<T>(), &found);
}

/// Doubles, and integers that a double holds exactly.
inline result<double> read_double(const place& at) {
  openxpc_value_t found{};
  if (!at.read(found)) return at.unexpected("double", nullptr);
  constexpr double two_to_63 = 9223372036854775808.0;
  if (found.type == OPENXPC_TYPE_DOUBLE) return found.as.real;
  if (found.type == OPENXPC_TYPE_INT64) {
    auto as_double = static_cast<double>(found.as.int64);
    if (as_double < two_to_63 && static_cast<std::int64_t>(as_double) == found.as.int64)
      return as_double;
  }
  if (found.type == OPENXPC_TYPE_UINT64) {
    auto as_double = static_cast<double>(found.as.uint64);
    if (as_double < 2 * two_to_63 && static_cast<std::uint64_t>(as_double) == found.as.uint64)
      return as_double;
  }
  return at.unexpected("double", &found);
}

/// Values of one type that the description holds whole.
template <class T>
result<T> read_plain(const place& at, openxpc_type_t type, const char* expected,
                     T (*take)(const openxpc_value_t&)) {
  openxpc_value_t found{};
  if (!at.read(found)) return at.unexpected(expected, nullptr);
  if (found.type != type) return at.unexpected(expected, &found);
  return take(found);
}

template <class T>
result<T> read(const place& at);

/// A U that templates look at only when they are used, when it is complete.
template <class, class U>
struct later {
  using type = U;
};

template <class E>
result<std::vector<E>> read_elements(const place& at) {
  openxpc_value_t found{};
  if (!at.read(found)) return at.unexpected("array", nullptr);
  if (found.type != OPENXPC_TYPE_ARRAY) return at.unexpected("array", &found);
  xpc_object_t array = at.object();
  std::vector<E> all;
  all.reserve(found.size);
  for (std::size_t i = 0; i < found.size; ++i) {
    result<E> element = read<E>(place(array, i));
    if (!element) return at.around(element.error());
    all.push_back(*std::move(element));
  }
  return all;
}

template <class T>
result<T> read_object(const place& at, const char* expected) {
  xpc_object_t found = at.object();
  if (!found) return at.unexpected(expected, nullptr);
  if constexpr (std::same_as<T, object>) {
    return T::from_native(found);
  } else {
    result<T> made = T::from_native(found);
    if (made) return made;
    openxpc_value_t described{};
    at.read(described);
    return at.unexpected(expected, &described);
  }
}

template <class T>
result<T> read(const place& at) {
  using value_of = const openxpc_value_t&;
  if constexpr (std::same_as<T, bool>) {
    return read_plain<T>(at, OPENXPC_TYPE_BOOL, "bool", [](value_of v) { return v.as.boolean; });
  } else if constexpr (number<T>) {
    return read_integer<T>(at);
  } else if constexpr (std::same_as<T, double>) {
    return read_double(at);
  } else if constexpr (std::same_as<T, float>) {
    return read_double(at).transform([](double wide) { return static_cast<float>(wide); });
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    return read_plain<T>(at, OPENXPC_TYPE_STRING, "string",
                         [](value_of v) { return T(v.as.text, v.size); });
  } else if constexpr (std::same_as<T, std::span<const std::byte>>) {
    return read_plain<T>(at, OPENXPC_TYPE_DATA, "data", [](value_of v) {
      return T(static_cast<const std::byte*>(v.as.bytes), v.size);
    });
  } else if constexpr (is_sys_time<T>) {
    return read_plain<T>(at, OPENXPC_TYPE_DATE, "date", [](value_of v) {
      return std::chrono::floor<typename T::duration>(date(std::chrono::nanoseconds(v.as.int64)));
    });
  } else if constexpr (std::same_as<T, xpc::uuid>) {
    return read_plain<T>(at, OPENXPC_TYPE_UUID, "uuid", [](value_of v) {
      xpc::uuid::bytes_type bytes;
      for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<const std::uint8_t*>(v.as.bytes)[i];
      return xpc::uuid(bytes);
    });
  } else if constexpr (std::same_as<T, xpc::fd>) {
    openxpc_value_t found{};
    if (!at.read(found)) return at.unexpected("fd", nullptr);
    if (found.type != OPENXPC_TYPE_FD) return at.unexpected("fd", &found);
    result<fd> copy = xpc::fd::copy(found.borrowed_fd);
    if (!copy) return at.around(copy.error());
    return copy;
  } else if constexpr (std::same_as<T, object>) {
    return read_object<T>(at, "a value");
  } else if constexpr (std::same_as<T, dictionary>) {
    return read_object<T>(at, "dictionary");
  } else if constexpr (std::same_as<T, array>) {
    return read_object<T>(at, "array");
  } else if constexpr (std::same_as<T, data>) {
    return read_object<T>(at, "data");
  } else if constexpr (std::same_as<T, endpoint>) {
    return read_object<T>(at, "endpoint");
  } else if constexpr (is_vector<T>) {
    return read_elements<typename T::value_type>(at);
  } else if constexpr (is_optional<T>) {
    openxpc_value_t found{};
    if (!at.read(found) || found.type == OPENXPC_TYPE_NULL) return T(std::nullopt);
    auto inner = read<typename T::value_type>(at);
    if (!inner) return std::move(inner).error();
    return T(*std::move(inner));
  } else {
    auto whole = read<typename later<T, object>::type>(at);
    if (!whole) return std::move(whole).error();
    result<T> decoded = codec<T>::decode(*whole);
    if (!decoded) return at.around(decoded.error());
    return decoded;
  }
}

/// One value for one T; a tuple, or the first failure, for several.
template <class T>
result<T> read_all(const place& at) {
  return read<T>(at);
}
template <class T, class U, class... More, class... Places>
result<std::tuple<T, U, More...>> read_all(const place& first, const place& second,
                                           const Places&... more) {
  std::optional<failure> why;
  auto take = [&why]<class V>(result<V> from) -> std::optional<V> {
    if (from) return *std::move(from);
    if (!why) why = from.error();
    return std::nullopt;
  };
  // Braces fix the order of reading, so that the first key that fails is the one that is named.
  std::tuple<std::optional<T>, std::optional<U>, std::optional<More>...> all{
      take(read<T>(first)), take(read<U>(second)), take(read<More>(more))...};
  if (why) return *std::move(why);
  return std::apply([](auto&&... each) { return std::tuple<T, U, More...>(*std::move(each)...); },
                    std::move(all));
}

template <class... T>
struct one_or_tuple {
  using type = std::tuple<T...>;
};
template <class T>
struct one_or_tuple<T> {
  using type = T;
};

}  // namespace xpc::detail
