#pragma once

#include "object/object.hpp"
#include "object/source.hpp"

#include <string_view>

namespace openxpc::object {

class container;

/// The kind of object that a tag stands for.
kind kind_of(wire::tag type) noexcept;

/// Makes the object for an encoded value of a message.
ref<object> make_object(const ref<source>& message, wire::value encoded);

/// A value where it stands in a container: an object, or still encoded. To be copied freely; it
/// lives until the container changes. Reading it makes no object; object() makes the one that the
/// container keeps.
class item {
 public:
  /// No value.
  item() noexcept = default;
  /// An object that stands in no container, or is already made.
  explicit item(object* made) noexcept : made_(made) {}
  item(const container* in, std::uint32_t ordinal, object* made, wire::value encoded) noexcept
      : in_(in), made_(made), encoded_(encoded), ordinal_(ordinal) {}

  explicit operator bool() const noexcept { return made_ || encoded_; }
  kind what() const noexcept { return made_ ? made_->what() : kind_of(encoded_.type()); }
  bool is(kind wanted) const noexcept { return *this && what() == wanted; }

  // Each needs an item of that kind.
  bool to_bool() const noexcept;
  /// int64 and date, uint64, double: the 64 bits.
  std::uint64_t to_bits() const noexcept;
  std::string_view to_string() const noexcept;
  base::bytes to_data() const noexcept;
  const std::byte* to_uuid() const noexcept;
  /// The descriptor of an fd, shared memory or endpoint.
  const ref<shared_fd>& to_file() const noexcept;
  /// Elements of an array or dictionary.
  std::size_t count() const noexcept;

  /// The object, lent: the same one each time, whichever thread asks.
  object* as_object() const;
  /// The object if there is one already, else null.
  object* made() const noexcept { return made_; }
  /// The message that encoded() is in. Precondition: encoded().
  const source& message() const noexcept;
  /// Empty unless the value came in a message.
  wire::value encoded() const noexcept { return encoded_; }

 private:
  const container* in_ = nullptr;
  object* made_ = nullptr;
  wire::value encoded_;
  std::uint32_t ordinal_ = 0;
};

}  // namespace openxpc::object
