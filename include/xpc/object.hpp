#pragma once

#include <xpc/detail/reading.hpp>
#include <xpc/detail/writing.hpp>

/// Values that can travel: `object` (anything), `dictionary`, `array`, and in detail/leaves.hpp
/// `data`, `data_builder`, `uuid`, `date`, `fd`, `endpoint`. Copying costs a reference count;
/// editing a copy never changes the original (copy on write). Threads: as std::string; values that
/// share content may be used by different threads.
namespace xpc {

/// Any value. A default one is null.
class object {
 public:
  object() noexcept = default;
  /// Anything that `value` takes.
  template <class T>
    requires(detail::writable<T> && !std::same_as<T, object>)
  object(const T& from) : object_(detail::handle::adopt(value(from).create())) {}

  type_id type() const { return static_cast<type_id>(openxpc_type_id(native_handle())); }
  /// Reads it as a T, as dictionary::get() does. Views (std::string_view, std::span) live as long
  /// as this object or a copy, so not out of a temporary. Errors: wrong_type, out_of_range; what a
  /// codec says.
  template <class T>
    requires detail::readable<T>
  result<T> as() const& {
    return detail::read<T>(detail::place(native_handle()));
  }
  template <class T>
    requires detail::readable<T>
  result<T> as() const&& {
    static_assert(!detail::views<T>,
                  "a view into a temporary object would dangle: keep the object, or read an owner");
    return detail::read<T>(detail::place(native_handle()));
  }
  /// Text for people; its form may change.
  std::string describe() const {
    std::unique_ptr<char, decltype(&std::free)> text(
        openxpc_object_copy_description(native_handle()), &std::free);
    return text.get();
  }
  /// Agrees with ==; differs from process to process.
  std::size_t hash() const { return openxpc_object_hash(native_handle()); }
  /// Same type and same content (rules 11 to 13).
  friend bool operator==(const object& one, const object& other) {
    return openxpc_object_equal(one.native_handle(), other.native_handle());
  }

  /// Lent, for C functions, as long as this object lives; must not be changed.
  xpc_object_t native_handle() const { return object_ ? object_.get() : null(); }
  /// Adds a reference to a C object.
  static object from_native(xpc_object_t borrowed) {
    return object(detail::handle::share(borrowed));
  }
  /// Takes a reference of the caller's over.
  static object adopt_native(xpc_object_t owned) { return object(detail::handle::adopt(owned)); }

 private:
  explicit object(detail::handle from) noexcept : object_(std::move(from)) {}
  static xpc_object_t null() {
    static const xpc_object_t only = value(nullptr).create();
    return only;
  }
  detail::handle object_;
};

/// Values by name.
class dictionary {
 public:
  using e = const entry&;
  /// Without entries.
  dictionary() noexcept = default;
  // One to sixteen entries: `{{"key", 1}, {"nested", {{"a", "b"}}}}`; of equal keys the last one
  // stays. For more, set() or from().
  // clang-format off
  dictionary(e a) : dictionary(list{&a}) {}
  dictionary(e a, e b) : dictionary(list{&a, &b}) {}
  dictionary(e a, e b, e c) : dictionary(list{&a, &b, &c}) {}
  dictionary(e a, e b, e c, e d) : dictionary(list{&a, &b, &c, &d}) {}
  dictionary(e a, e b, e c, e d, e f) : dictionary(list{&a, &b, &c, &d, &f}) {}
  dictionary(e a, e b, e c, e d, e f, e g) : dictionary(list{&a, &b, &c, &d, &f, &g}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h) : dictionary(list{&a, &b, &c, &d, &f, &g, &h}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o, &p}) {}
  dictionary(e a, e b, e c, e d, e f, e g, e h, e i, e j, e k, e l, e m, e n, e o, e p, e q) : dictionary(list{&a, &b, &c, &d, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o, &p, &q}) {}
  // clang-format on
  /// Any number of entries; of equal keys the last one stays.
  static dictionary from(std::span<const entry> entries) {
    dictionary made;
    if (entries.empty()) return made;
    made.object_ = detail::handle::adopt(openxpc_dictionary_create());
    for (const entry& each : entries) each.content.store(made.object_.get(), each.key);
    return made;
  }

  /// Reads one value, `get<int>("a")`, or several at once as a tuple, `get<int, std::string>("a",
  /// "b")`. Readable: bool, integers (also across signedness, when the number fits), float and
  /// double (also integers that are exact in it), std::string, uuid, fd (a new descriptor),
  /// endpoint, data (shared), std::chrono::sys_time, object, dictionary, array, std::vector of
  /// such, std::optional of such (nullopt when missing or null; a wrong type is still a failure),
  /// types with a codec, and the views std::string_view and std::span<const std::byte>, which live
  /// until the key is changed or the dictionary dies, so not out of a temporary. Errors:
  /// missing_key, wrong_type, out_of_range: "key: expected double, found string".
  template <class... T, class... K>
    requires(sizeof...(T) > 0 && sizeof...(T) == sizeof...(K) && (detail::readable<T> && ...))
  result<typename detail::one_or_tuple<T...>::type> get(const K&... keys) const& {
    return detail::read_all<T...>(detail::place(object_.get(), detail::key(keys))...);
  }
  template <class... T, class... K>
    requires(sizeof...(T) > 0 && sizeof...(T) == sizeof...(K) && (detail::readable<T> && ...))
  result<typename detail::one_or_tuple<T...>::type> get(const K&... keys) const&& {
    static_assert(
        !detail::views<T...>,
        "a view into a temporary dictionary would dangle: keep the dictionary, or read an owner");
    return detail::read_all<T...>(detail::place(object_.get(), detail::key(keys))...);
  }
  /// The value of a key.
  std::optional<object> find(detail::key key) const {
    xpc_object_t found =
        object_ ? openxpc_dictionary_get_value(object_.get(), key.data(), key.size()) : nullptr;
    if (!found) return std::nullopt;
    return object::from_native(found);
  }
  bool contains(detail::key key) const {
    openxpc_value_t found;
    return object_ && openxpc_dictionary_read(object_.get(), key.data(), key.size(), &found);
  }

  /// Stores a value, in the place of an older one. An empty optional removes the key.
  dictionary& set(detail::key key, value content) {
    // Storing a dictionary in itself stores what it was.
    auto same = detail::handle::share(content.object() == object_.get() ? object_.get() : nullptr);
    content.store(own(), key);
    return *this;
  }
  /// Moves a value out: the way to edit a nested container without a copy; set() puts it back.
  std::optional<object> take(detail::key key) {
    if (!contains(key)) return std::nullopt;
    return object::adopt_native(openxpc_dictionary_take(own(), key.data(), key.size()));
  }
  /// False when there was no such key.
  bool erase(detail::key key) {
    return contains(key) && openxpc_dictionary_remove(own(), key.data(), key.size());
  }

  std::size_t size() const {
    openxpc_value_t whole{};
    return object_ && openxpc_object_read(object_.get(), &whole) ? whole.size : 0;
  }
  bool empty() const { return size() == 0; }
  /// Entries as pairs of std::string_view and object, in no order that anyone may rely on. Goes
  /// over the entries as they were at begin(); the keys live until they are changed.
  class iterator;
  iterator begin() const;
  std::default_sentinel_t end() const noexcept { return {}; }
  /// Text for people; its form may change.
  std::string describe() const { return object(*this).describe(); }
  /// The same keys with equal values (rules 12, 13).
  friend bool operator==(const dictionary& one, const dictionary& other) {
    return openxpc_object_equal(one.native_handle(), other.native_handle());
  }

  /// Lent, for C functions, as long as this dictionary is not changed; must not be changed through
  /// it.
  xpc_object_t native_handle() const { return object_ ? object_.get() : none(); }
  /// Adds a reference to a C dictionary. Errors: wrong_type.
  static result<dictionary> from_native(xpc_object_t borrowed) {
    if (openxpc_type_id(borrowed) != OPENXPC_TYPE_DICTIONARY)
      return failure(errc::wrong_type, "expected dictionary");
    dictionary made;
    made.object_ = detail::handle::share(borrowed);
    return made;
  }
  /// Takes a C dictionary over; it must be one.
  static dictionary adopt_native(xpc_object_t owned_dictionary) {
    dictionary made;
    made.object_ = detail::handle::adopt(owned_dictionary);
    return made;
  }

 private:
  using list = std::initializer_list<const entry*>;
  explicit dictionary(list entries) : object_(detail::dictionary_of(entries)) {}

  /// The object, held by nobody else and so free to be changed; lent.
  xpc_object_t own() {
    object_ = detail::handle::adopt(object_ ? openxpc_object_unshare(object_.release())
                                            : openxpc_dictionary_create());
    return object_.get();
  }
  static xpc_object_t none() {
    static const xpc_object_t only = openxpc_dictionary_create();
    return only;
  }
  detail::handle object_;
};

class dictionary::iterator {
 public:
  using value_type = std::pair<std::string_view, object>;
  using difference_type = std::ptrdiff_t;
  using reference = const value_type&;
  using pointer = const value_type*;
  using iterator_category = std::forward_iterator_tag;

  iterator() noexcept = default;
  const value_type& operator*() const { return (*all_)[at_]; }
  const value_type* operator->() const { return &(*all_)[at_]; }
  iterator& operator++() {
    ++at_;
    return *this;
  }
  iterator operator++(int) {
    iterator before = *this;
    ++at_;
    return before;
  }
  friend bool operator==(const iterator& one, const iterator& other) noexcept {
    return one.at_ == other.at_ && one.all_ == other.all_;
  }
  friend bool operator==(const iterator& one, std::default_sentinel_t) noexcept {
    return !one.all_ || one.at_ == one.all_->size();
  }

 private:
  friend class dictionary;
  std::shared_ptr<std::vector<value_type>> all_;
  std::size_t at_ = 0;
};

inline dictionary::iterator dictionary::begin() const {
  iterator first;
  if (!object_) return first;
  first.all_ = std::make_shared<std::vector<iterator::value_type>>();
  first.all_->reserve(size());
  openxpc_dictionary_apply_f(object_.get(), first.all_.get(),
                             [](void* all, const char* key, size_t length, xpc_object_t content) {
                               static_cast<std::vector<iterator::value_type>*>(all)->emplace_back(
                                   std::string_view(key, length), object::from_native(content));
                               return true;
                             });
  return first;
}

/// Values in order.
class array {
 public:
  /// Without elements.
  array() noexcept = default;
  /// These values, each as `value` takes it; empty optionals as null. Nested dictionaries are
  /// named: `array::of(1, "two", xpc::dictionary{{"three", 3}})`.
  template <class... V>
    requires(detail::writable<V> && ...)
  static array of(const V&... values) {
    array made;
    if constexpr (sizeof...(V) > 0) {
      xpc_object_t in = made.own();
      (value(values).store(in, SIZE_MAX), ...);
    }
    return made;
  }

  /// Reads one element; see dictionary::get(). Errors: missing_key (beyond the end), wrong_type,
  /// out_of_range: "[3]: expected ...".
  template <class T>
    requires detail::readable<T>
  result<T> get(std::size_t index) const& {
    return detail::read<T>(detail::place(object_.get(), index));
  }
  template <class T>
    requires detail::readable<T>
  result<T> get(std::size_t index) const&& {
    static_assert(!detail::views<T>,
                  "a view into a temporary array would dangle: keep the array, or read an owner");
    return detail::read<T>(detail::place(object_.get(), index));
  }
  /// Reads all elements, or fails with the first that does not fit.
  template <class T>
    requires detail::readable<T>
  result<std::vector<T>> get_all() const& {
    return detail::read_elements<T>(detail::place(native_handle()));
  }
  template <class T>
    requires detail::readable<T>
  result<std::vector<T>> get_all() const&& {
    static_assert(!detail::views<T>,
                  "views into a temporary array would dangle: keep the array, or read owners");
    return detail::read_elements<T>(detail::place(native_handle()));
  }

  array& append(value content) {
    auto same = detail::handle::share(content.object() == object_.get() ? object_.get() : nullptr);
    content.store(own(), SIZE_MAX);
    return *this;
  }
  /// Stores in the place of an element; an index beyond the end is misuse.
  array& set(std::size_t index, value content) {
    auto same = detail::handle::share(content.object() == object_.get() ? object_.get() : nullptr);
    content.store(own(), index);
    return *this;
  }

  std::size_t size() const {
    openxpc_value_t whole{};
    return object_ && openxpc_object_read(object_.get(), &whole) ? whole.size : 0;
  }
  bool empty() const { return size() == 0; }
  /// Elements as objects; the array must live and stay unchanged meanwhile.
  class iterator;
  iterator begin() const;
  iterator end() const;
  std::string describe() const { return object(*this).describe(); }
  /// Equal values at equal indexes (rule 12).
  friend bool operator==(const array& one, const array& other) {
    return openxpc_object_equal(one.native_handle(), other.native_handle());
  }

  /// Lent, for C functions, as long as this array is not changed; must not be changed through it.
  xpc_object_t native_handle() const { return object_ ? object_.get() : none(); }
  /// Adds a reference to a C array. Errors: wrong_type.
  static result<array> from_native(xpc_object_t borrowed) {
    if (openxpc_type_id(borrowed) != OPENXPC_TYPE_ARRAY)
      return failure(errc::wrong_type, "expected array");
    array made;
    made.object_ = detail::handle::share(borrowed);
    return made;
  }

 private:
  xpc_object_t own() {
    object_ = detail::handle::adopt(object_ ? openxpc_object_unshare(object_.release())
                                            : openxpc_array_create());
    return object_.get();
  }
  static xpc_object_t none() {
    static const xpc_object_t only = openxpc_array_create();
    return only;
  }
  detail::handle object_;
};

class array::iterator {
 public:
  using value_type = object;
  using difference_type = std::ptrdiff_t;
  using reference = object;
  using pointer = void;
  using iterator_category = std::input_iterator_tag;

  iterator() noexcept = default;
  object operator*() const { return object::from_native(openxpc_array_get_value(in_, at_)); }
  iterator& operator++() {
    ++at_;
    return *this;
  }
  iterator operator++(int) {
    iterator before = *this;
    ++at_;
    return before;
  }
  friend bool operator==(const iterator& one, const iterator& other) noexcept = default;

 private:
  friend class array;
  iterator(xpc_object_t in, std::size_t at) noexcept : in_(in), at_(at) {}
  xpc_object_t in_ = nullptr;
  std::size_t at_ = 0;
};

inline array::iterator array::begin() const { return {object_.get(), 0}; }
inline array::iterator array::end() const { return {object_.get(), size()}; }

}  // namespace xpc

template <>
struct std::hash<xpc::object> {
  std::size_t operator()(const xpc::object& what) const { return what.hash(); }
};
