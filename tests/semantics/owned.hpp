#pragma once

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace semantics {

/// Owns one reference; for tests that are not about references.
class owned {
 public:
  owned(xpc_object_t object = nullptr) noexcept : at_(object) {}  // NOLINT: implicit on purpose
  owned(owned&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  owned& operator=(owned&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~owned() {
    if (at_) xpc_release(at_);
  }
  operator xpc_object_t() const noexcept { return at_; }  // NOLINT

 private:
  xpc_object_t at_;
};

/// NULL, where the header tells the compiler that there cannot be one.
template <class T = void*>
T no_object() {
  static T volatile none = nullptr;
  return none;
}

/// What arrives of a message without descriptors: encoded as it is sent and decoded as it is
/// received.
inline owned arrived(xpc_object_t message) {
  void* bytes = nullptr;
  size_t size = 0;
  xpc_rich_error_t error = nullptr;
  if (!openxpc_object_encode(message, OPENXPC_ENCODING_NATIVE, &bytes, &size, &error)) {
    owned failure(error);
    throw std::runtime_error(openxpc_error_get_message(error));
  }
  std::unique_ptr<void, void (*)(void*)> freed(bytes, std::free);
  owned made(openxpc_object_decode(bytes, size, OPENXPC_ENCODING_NATIVE, nullptr));
  if (!made) throw std::runtime_error("an encoded message does not decode");
  return made;
}

/// A description without its addresses.
inline std::string described(xpc_object_t object) {
  std::unique_ptr<char, void (*)(void*)> text(xpc_copy_description(object), std::free);
  std::string out = text.get();
  for (std::size_t at = 0; (at = out.find(": 0x", at)) != std::string::npos; ++at)
    out.erase(at, out.find('>', at) - at);
  return out;
}

}  // namespace semantics
