#include "wire/validate.hpp"

#include <algorithm>
#include <new>

namespace openxpc::wire {
namespace {

const char* reason(fault what) noexcept {
  switch (what) {
    case fault::message_too_large:
      return "the message is larger than the limit";
    case fault::header_cut:
      return "the input ends inside the 8 bytes of the header";
    case fault::not_portable:
      return "the magic number is not that of a portable object (42 37 13 42)";
    case fault::not_native:
      return "the magic number is not that of a native object (43 50 58 40)";
    case fault::wrong_version:
      return "the version is not 5";
    case fault::root_not_dictionary:
      return "the root is not a dictionary";
    case fault::trailing_bytes:
      return "more bytes follow the end of the root dictionary";
    case fault::value_missing:
      return "a value's type should stand here, but its container or the input ends";
    case fault::value_cut:
      return "the value does not fit into what is left of its container or of the input";
    case fault::unknown_type:
      return "the type is not a known one";
    case fault::type_not_sendable:
      return "values of this type cannot be sent in messages";
    case fault::type_in_files_only:
      return "file transfers are not accepted in local messages";
    case fault::too_deep:
      return "values are nested deeper than the limit";
    case fault::length_too_small:
      return "a container's length must be at least 4, since it covers the count";
    case fault::length_not_aligned:
      return "a container's length must be a multiple of 4";
    case fault::length_past_end:
      return "a container's length reaches beyond what contains it";
    case fault::count_too_large:
      return "a container's count is more than its length has room for";
    case fault::content_too_short:
      return "a container's length covers bytes behind its last entry";
    case fault::key_missing:
      return "a key should stand here, but its dictionary ends";
    case fault::key_unterminated:
      return "the key has no NUL before its dictionary ends";
    case fault::key_padding:
      return "the padding behind the key is not zero";
    case fault::key_not_utf8:
      return "the key is not valid UTF-8";
    case fault::key_repeated:
      return "the key stands in its dictionary for the second time";
    case fault::bool_neither:
      return "a bool must be 0 or 1";
    case fault::string_length_zero:
      return "a string's length must be at least 1, since it covers the NUL";
    case fault::string_past_end:
      return "the string's length reaches beyond its container";
    case fault::string_unterminated:
      return "the last byte inside the string's length is not NUL";
    case fault::string_nul_inside:
      return "the string has a NUL before its last byte";
    case fault::string_not_utf8:
      return "the string is not valid UTF-8";
    case fault::string_padding:
      return "the padding behind the string is not zero";
    case fault::data_past_end:
      return "the data's length reaches beyond its container";
    case fault::data_padding:
      return "the padding behind the data is not zero";
    case fault::transfer_not_dictionary:
      return "a file transfer must be followed by its dictionary";
    case fault::transfer_without_size:
      return "the dictionary of a file transfer has no uint64 \"s\"";
    case fault::attachment_missing:
      return "the value travels as an attachment, and fewer attachments came than there are such "
             "values";
    case fault::attachment_unused:
      return "the message ends, and more attachments came than it has values for";
    case fault::attachments_too_many:
      return "more attachments came than the limit";
    case fault::out_of_memory:
      return "no memory to compare the keys of this dictionary";
  }
  return "unknown fault";
}

}  // namespace

std::string describe(malformed problem) {
  return "offset " + std::to_string(problem.offset) + ": " + reason(problem.what);
}

std::uint32_t tag_offsets::before(std::uint32_t offset) const noexcept {
  return static_cast<std::uint32_t>(std::lower_bound(begin(), end(), offset) - begin());
}

bool tag_offsets::reserve(std::size_t count) noexcept {
  if (count <= few) return true;
  many_.reset(new (std::nothrow) std::uint32_t[count]);
  return many_ != nullptr;
}

}  // namespace openxpc::wire
