#pragma once

#include <xpc/detail/handle.hpp>
#include <xpc/openxpc/object.h>
#include <xpc/openxpc/value.h>
#include <xpc/result.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/// The values of <xpc/object.hpp> that hold no other values.
namespace xpc {

/// The kinds of object.
enum class type_id : int {
  null = OPENXPC_TYPE_NULL,
  boolean = OPENXPC_TYPE_BOOL,
  int64 = OPENXPC_TYPE_INT64,
  uint64 = OPENXPC_TYPE_UINT64,
  real = OPENXPC_TYPE_DOUBLE,
  date = OPENXPC_TYPE_DATE,
  data = OPENXPC_TYPE_DATA,
  string = OPENXPC_TYPE_STRING,
  uuid = OPENXPC_TYPE_UUID,
  fd = OPENXPC_TYPE_FD,
  shmem = OPENXPC_TYPE_SHMEM,
  array = OPENXPC_TYPE_ARRAY,
  dictionary = OPENXPC_TYPE_DICTIONARY,
  error = OPENXPC_TYPE_ERROR,
  rich_error = OPENXPC_TYPE_RICH_ERROR,
  endpoint = OPENXPC_TYPE_ENDPOINT,
  connection = OPENXPC_TYPE_CONNECTION,
  session = OPENXPC_TYPE_SESSION,
  listener = OPENXPC_TYPE_LISTENER,
  activity = OPENXPC_TYPE_ACTIVITY,
  peer_requirement = OPENXPC_TYPE_PEER_REQUIREMENT,
  file_transfer = OPENXPC_TYPE_FILE_TRANSFER,
};

/// A point in time as it travels: nanoseconds since 1970, without leap seconds (rule 22). Any
/// std::chrono::sys_time can be written and read.
using date = std::chrono::sys_time<std::chrono::nanoseconds>;

/// 16 bytes that name something. A value.
class uuid {
 public:
  using bytes_type = std::array<std::uint8_t, 16>;
  /// All zero.
  constexpr uuid() noexcept = default;
  constexpr explicit uuid(const bytes_type& bytes) noexcept : bytes_(bytes) {}
  constexpr const bytes_type& bytes() const noexcept { return bytes_; }
  /// As "01234567-89AB-CDEF-0123-456789ABCDEF".
  std::string to_string() const {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += digits[bytes_[i] >> 4];
      text += digits[bytes_[i] & 15];
    }
    return text;
  }
  friend constexpr bool operator==(const uuid&, const uuid&) = default;
  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;

 private:
  bytes_type bytes_{};
};

/// Bytes, constant and shared: copying costs a reference count. A value. Threads: any.
class data {
 public:
  /// No bytes.
  data() : data(std::span<const std::byte>()) {}
  /// A copy of these bytes.
  explicit data(std::span<const std::byte> copied) {
    openxpc_value_t described{};
    described.type = OPENXPC_TYPE_DATA;
    described.as.bytes = copied.data();
    described.size = copied.size();
    object_ = detail::handle::adopt(openxpc_value_create(&described));
  }
  /// Lent, for as long as this object or a copy lives; so not out of a temporary.
  std::span<const std::byte> bytes() const& {
    openxpc_value_t described{};
    if (!object_ || !openxpc_object_read(object_.get(), &described)) return {};
    return {static_cast<const std::byte*>(described.as.bytes), described.size};
  }
  std::span<const std::byte> bytes() const&& = delete;
  std::size_t size() const { return std::as_const(*this).bytes().size(); }
  bool empty() const { return size() == 0; }
  /// Same bytes.
  friend bool operator==(const data& one, const data& other) {
    return openxpc_object_equal(one.native_handle(), other.native_handle());
  }
  /// Lent, for C functions.
  xpc_object_t native_handle() const { return object_.get(); }
  /// Adds a reference to a data object; wrong_type for another.
  static result<data> from_native(xpc_object_t borrowed) {
    if (openxpc_type_id(borrowed) != OPENXPC_TYPE_DATA)
      return failure(errc::wrong_type, "expected data");
    return data(detail::handle::share(borrowed));
  }

 private:
  friend class data_builder;
  explicit data(detail::handle object) noexcept : object_(std::move(object)) {}
  detail::handle object_;
};

/// Memory to fill, which then becomes a `data` without being copied. A resource.
class data_builder {
 public:
  /// @param capacity_bytes how much may be filled. Errors: no_resources.
  static result<data_builder> create(std::size_t capacity_bytes) {
    void* bytes = nullptr;
    xpc_object_t made = openxpc_data_create_blank(capacity_bytes, &bytes);
    if (!made)
      return failure(errc::no_resources,
                     "no memory for " + std::to_string(capacity_bytes) + " bytes of data");
    return data_builder(detail::handle::adopt(made),
                        {static_cast<std::byte*>(bytes), capacity_bytes});
  }
  data_builder(data_builder&&) noexcept = default;
  data_builder& operator=(data_builder&&) noexcept = default;
  data_builder(const data_builder&) = delete;
  data_builder& operator=(const data_builder&) = delete;
  ~data_builder() = default;

  /// What to fill; lent until finish().
  std::span<std::byte> bytes() noexcept { return bytes_; }
  /// Ends the filling. @param size_bytes how many of the bytes count, from the first; more than the
  /// capacity is misuse.
  data finish(std::size_t size_bytes) && {
    openxpc_data_finish(object_.get(), size_bytes);
    return data(std::move(object_));
  }

 private:
  data_builder(detail::handle object, std::span<std::byte> bytes) noexcept
      : object_(std::move(object)), bytes_(bytes) {}
  detail::handle object_;
  std::span<std::byte> bytes_;
};

/// An open file descriptor and the duty to close it. A resource. Writing one into a message
/// duplicates it, reading one gives a new descriptor each time, close-on-exec.
class fd {
 public:
  /// None: get() is -1.
  fd() noexcept = default;
  /// Takes over a descriptor, e.g. what open(2) returned, -1 included.
  explicit fd(int owned) noexcept : number_(owned) {}
  /// A duplicate, close-on-exec. Errors: no_resources, invalid_argument (not open).
  static result<fd> copy(int borrowed_fd) {
    int made = openxpc_fd_duplicate(borrowed_fd);
    if (made >= 0) return fd(made);
    std::error_code why(errno, std::system_category());
    return failure(
        why == std::errc::bad_file_descriptor ? errc::invalid_argument : errc::no_resources,
        "descriptor " + std::to_string(borrowed_fd) + " cannot be duplicated: " + why.message());
  }
  fd(fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  fd& operator=(fd&& other) noexcept {
    if (this != &other) {
      openxpc_fd_close(number_);
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~fd() { openxpc_fd_close(number_); }

  /// Lent; -1 when there is none.
  int get() const noexcept { return number_; }
  /// Hands it over to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// The way to a listener: whoever holds it can connect. A value; holds no listener alive. Made by
/// listener::make_endpoint(), read out of messages.
class endpoint {
 public:
  /// Whether both lead to the same listener.
  friend bool operator==(const endpoint& one, const endpoint& other) {
    return openxpc_object_equal(one.native_handle(), other.native_handle());
  }
  /// Lent, for C functions.
  xpc_endpoint_t native_handle() const { return static_cast<xpc_endpoint_t>(object_.get()); }
  /// Adds a reference to an endpoint; wrong_type for another object.
  static result<endpoint> from_native(xpc_object_t borrowed) {
    if (openxpc_type_id(borrowed) != OPENXPC_TYPE_ENDPOINT)
      return failure(errc::wrong_type, "expected endpoint");
    return endpoint(detail::handle::share(borrowed));
  }

 private:
  explicit endpoint(detail::handle object) noexcept : object_(std::move(object)) {}
  detail::handle object_;
};

}  // namespace xpc

template <>
struct std::hash<xpc::uuid> {
  std::size_t operator()(const xpc::uuid& id) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()});
  }
};
template <>
struct std::hash<xpc::endpoint> {
  std::size_t operator()(const xpc::endpoint& at) const {
    return openxpc_object_hash(at.native_handle());
  }
};
