#pragma once

#include "object/object.hpp"

#include <array>
#include <cstddef>
#include <span>

/// The Booleans and null: their addresses are what programs compare, their size is frozen (rules 7,
/// 302).
struct _xpc_bool_s final : openxpc::object::object {
  static constexpr openxpc_type_t its_kind = OPENXPC_TYPE_BOOL;
  constexpr explicit _xpc_bool_s(bool content) noexcept
      : object(OPENXPC_TYPE_BOOL, lifetime::immortal), value(content) {}
  void describe(openxpc::object::describer& out) const override;

  bool value;
  void* reserved[5] = {};

 private:
  void destroy() noexcept override {}
};
static_assert(sizeof(_xpc_bool_s) == 64, "part of the ABI");

extern "C" {
extern OPENXPC_VISIBLE const _xpc_bool_s _xpc_bool_true, _xpc_bool_false;
}

namespace openxpc::object {

/// The one null.
class null final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_NULL;
  constexpr null() noexcept : object(its_kind, lifetime::immortal) {}

 private:
  void destroy() noexcept override {}
};

object* the_null() noexcept;
object* the_bool(bool value) noexcept;

/// An int64, uint64, double or date. Immutable; made by make_*.
class scalar final : public object {
 public:
  /// The 64 bits of the value, whatever the kind.
  std::uint64_t bits() const noexcept { return bits_; }
  scalar(kind what, std::uint64_t bits) noexcept : object(what), bits_(bits) {}
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override { delete this; }
  std::uint64_t bits_;
};

ref<object> make_int64(std::int64_t value);
ref<object> make_uint64(std::uint64_t value);
ref<object> make_double(double value);
/// @param nanoseconds  from 1970-01-01T00:00:00Z.
ref<object> make_date(std::int64_t nanoseconds);

/// 16 bytes in text order. Immutable.
class uuid final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_UUID;
  explicit uuid(std::span<const std::byte, 16> content) noexcept;
  const std::byte* bytes() const noexcept { return bytes_.data(); }
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override { delete this; }
  std::array<std::byte, 16> bytes_;
};

}  // namespace openxpc::object
