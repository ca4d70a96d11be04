// Encoded objects for tools: openxpc_object_encode() and its inverse, and file transfers.
#include "object/codec.hpp"

#include "base/misuse.hpp"
#include "capi/handle.hpp"
#include "object/file_transfer.hpp"
#include "object/rich_error.hpp"

#include <xpc/openxpc/object.h>

#include <cstdlib>
#include <cstring>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;
namespace wire = openxpc::wire;

namespace {

wire::mode mode_of(openxpc_encoding_t encoding) noexcept {
  return encoding == OPENXPC_ENCODING_FILE ? wire::mode::file : wire::mode::local;
}

void say(xpc_rich_error_t* error, openxpc_error_code_t code, const std::string& message) {
  if (error)
    *error = static_cast<xpc_rich_error_t>(capi::give(object::rich_error::create(code, message)));
}

}  // namespace

bool openxpc_object_encode(xpc_object_t dictionary, openxpc_encoding_t encoding, void** bytes,
                           size_t* size, xpc_rich_error_t* error) {
  auto& root = capi::need_as<object::dictionary>(dictionary, __func__);
  base::buffer out;
  object::attachments none;
  object::encode_options options;
  options.spoken = mode_of(encoding);
  options.descriptors = false;
  if (auto problem = object::encode(root, out, none, options)) {
    say(error, OPENXPC_ERROR_INVALID_ARGUMENT, problem->text());
    return false;
  }
  void* copy = std::malloc(out.size());
  if (!copy) {
    say(error, OPENXPC_ERROR_NO_RESOURCES, "no memory for the encoded object");
    return false;
  }
  std::memcpy(copy, out.data(), out.size());
  *bytes = copy;
  *size = out.size();
  return true;
}

xpc_object_t openxpc_object_decode(const void* bytes, size_t size, openxpc_encoding_t encoding,
                                   xpc_rich_error_t* error) {
  if (size) capi::need_pointer(bytes, "the bytes", __func__);
  std::optional<wire::malformed> fault;
  auto root = object::decode(base::bytes(static_cast<const std::byte*>(bytes), size), {},
                             mode_of(encoding), fault);
  if (!root) say(error, OPENXPC_ERROR_MALFORMED, wire::describe(*fault));
  return capi::give(std::move(root));
}

xpc_object_t openxpc_file_transfer_create(uint64_t id, xpc_object_t content) {
  capi::need_as<object::dictionary>(content, __func__);
  return capi::give(base::make_ref<object::file_transfer>(id, capi::share(content)));
}

uint64_t openxpc_file_transfer_get_id(xpc_object_t transfer) {
  auto* it = object::as<object::file_transfer>(transfer);
  return it ? it->id() : 0;
}

xpc_object_t openxpc_file_transfer_get_object(xpc_object_t transfer) {
  auto* it = object::as<object::file_transfer>(transfer);
  return it ? it->content() : nullptr;
}
