#include "object/item.hpp"

#include "object/array.hpp"
#include "object/data.hpp"
#include "object/dictionary.hpp"
#include "object/endpoint.hpp"
#include "object/file_transfer.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"

#include <bit>

// A container's objects are never replaced by reading, and immutable values read the same from both
// forms; containers must be read through their object once there is one, since that may have been
// changed.

namespace openxpc::object {

kind kind_of(wire::tag type) noexcept {
  switch (type) {
    case wire::tag::null:
      return OPENXPC_TYPE_NULL;
    case wire::tag::boolean:
      return OPENXPC_TYPE_BOOL;
    case wire::tag::int64:
      return OPENXPC_TYPE_INT64;
    case wire::tag::uint64:
      return OPENXPC_TYPE_UINT64;
    case wire::tag::real:
      return OPENXPC_TYPE_DOUBLE;
    case wire::tag::date:
      return OPENXPC_TYPE_DATE;
    case wire::tag::data:
      return OPENXPC_TYPE_DATA;
    case wire::tag::string:
      return OPENXPC_TYPE_STRING;
    case wire::tag::uuid:
      return OPENXPC_TYPE_UUID;
    case wire::tag::fd:
      return OPENXPC_TYPE_FD;
    case wire::tag::shmem:
      return OPENXPC_TYPE_SHMEM;
    case wire::tag::array:
      return OPENXPC_TYPE_ARRAY;
    case wire::tag::dictionary:
      return OPENXPC_TYPE_DICTIONARY;
    case wire::tag::endpoint:
      return OPENXPC_TYPE_ENDPOINT;
    case wire::tag::file_transfer:
      return OPENXPC_TYPE_FILE_TRANSFER;
    default:
      return OPENXPC_TYPE_NONE;  // validation lets none of these through
  }
}

ref<object> make_object(const ref<source>& message, wire::value encoded) {
  switch (encoded.type()) {
    case wire::tag::boolean:
      return ref<object>::adopt(the_bool(encoded.to_bool()));
    case wire::tag::int64:
      return make_int64(encoded.to_int64());
    case wire::tag::uint64:
      return make_uint64(encoded.to_uint64());
    case wire::tag::real:
      return make_double(encoded.to_double());
    case wire::tag::date:
      return make_date(encoded.to_date());
    case wire::tag::data:
      return data::from(message, encoded);
    case wire::tag::string:
      return string::from(message, encoded);
    case wire::tag::uuid:
      return base::make_ref<uuid>(encoded.uuid());
    case wire::tag::fd:
      return base::make_ref<descriptor>(message->attachment(encoded));
    case wire::tag::shmem:
      return base::make_ref<descriptor>(message->attachment(encoded), OPENXPC_TYPE_SHMEM,
                                        encoded.shmem_bytes());
    case wire::tag::endpoint:
      return base::make_ref<endpoint>(message->attachment(encoded));
    case wire::tag::array:
      return array::over(message, encoded);
    case wire::tag::dictionary:
      return dictionary::over(message, encoded);
    case wire::tag::file_transfer:
      return base::make_ref<file_transfer>(encoded.transfer_id(),
                                           make_object(message, encoded.transfer_object()));
    default:
      return ref<object>::adopt(the_null());
  }
}

bool item::to_bool() const noexcept {
  return encoded_ ? encoded_.to_bool() : static_cast<_xpc_bool_s*>(made_)->value;
}

std::uint64_t item::to_bits() const noexcept {
  if (!encoded_) return static_cast<scalar*>(made_)->bits();
  switch (encoded_.type()) {
    case wire::tag::real:
      return std::bit_cast<std::uint64_t>(encoded_.to_double());
    case wire::tag::int64:
      return static_cast<std::uint64_t>(encoded_.to_int64());
    case wire::tag::date:
      return static_cast<std::uint64_t>(encoded_.to_date());
    default:
      return encoded_.to_uint64();
  }
}

std::string_view item::to_string() const noexcept {
  return encoded_ ? encoded_.string() : static_cast<string*>(made_)->text();
}

base::bytes item::to_data() const noexcept {
  return encoded_ ? encoded_.data() : static_cast<data*>(made_)->bytes();
}

const std::byte* item::to_uuid() const noexcept {
  return encoded_ ? encoded_.uuid().data() : static_cast<uuid*>(made_)->bytes();
}

const ref<shared_fd>& item::to_file() const noexcept {
  if (encoded_) return in_->message()->attachment(encoded_);
  if (auto* to = as<endpoint>(made_)) return to->file();
  return static_cast<descriptor*>(made_)->file();
}

std::size_t item::count() const noexcept {
  if (!made_) return encoded_.count();
  if (auto* held = as<dictionary>(made_)) return held->count();
  return static_cast<array*>(made_)->count();
}

const source& item::message() const noexcept { return *in_->message(); }

object* item::as_object() const { return made_ ? made_ : in_->keep_object(ordinal_, encoded_); }

}  // namespace openxpc::object
