#include "object/string.hpp"

#include "base/utf8.hpp"
#include "object/describe.hpp"

#include <cstring>
#include <new>

namespace openxpc::object {

string* string::make(std::string_view text, bool utf8) {
  auto* memory = static_cast<char*>(::operator new(sizeof(string) + text.size() + 1));
  char* copy = memory + sizeof(string);
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return new (memory) string(copy, text.size(), utf8, nullptr);
}

ref<string> string::copy_of(std::string_view text) {
  return ref<string>::adopt(make(text, base::is_utf8(text)));
}

ref<string> string::from(const ref<source>& message, wire::value encoded) {
  auto text = encoded.string();
  if (text.size() < copied_below_bytes) return ref<string>::adopt(make(text, true));
  auto shared = message;
  void* memory = ::operator new(sizeof(string));
  return ref<string>::adopt(new (memory) string(text.data(), text.size(), true, shared.release()));
}

void string::destroy() noexcept {
  if (message_) message_->release();
  this->~string();
  ::operator delete(this);
}

void string::describe(describer& out) const { out.string_value(text()); }

}  // namespace openxpc::object
