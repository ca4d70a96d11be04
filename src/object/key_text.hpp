#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace openxpc::object {

/// A dictionary's copy of a key, with a NUL behind it: short keys inside the entry itself, long
/// ones elsewhere, keys of a received message where they are. 24 bytes.
class key_text {
 public:
  static constexpr std::size_t longest = (1u << 31) - 1;

  /// Copies.
  explicit key_text(std::string_view text) : length_(static_cast<std::uint32_t>(text.size())) {
    char* to = bytes_;
    if (!is_near()) {
      to = static_cast<char*>(::operator new(text.size() + 1));
      owned_ = 1;
      set_far(to);
    }
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    to[text.size()] = '\0';
  }
  /// Stays where it is, in a message that the dictionary keeps.
  static key_text lent(std::string_view text) noexcept {
    key_text made;
    made.length_ = static_cast<std::uint32_t>(text.size());
    if (made.is_near())
      std::memcpy(made.bytes_, text.data(), text.size() + 1);
    else
      made.set_far(text.data());
    return made;
  }
  key_text(key_text&& other) noexcept { take(other); }
  key_text& operator=(key_text&& other) noexcept {
    if (this != &other) free(), take(other);
    return *this;
  }
  ~key_text() { free(); }

  std::string_view text() const noexcept { return {is_near() ? bytes_ : far(), length_}; }

 private:
  key_text() noexcept = default;
  bool is_near() const noexcept { return length_ < sizeof bytes_; }
  const char* far() const noexcept {
    const char* at;
    std::memcpy(&at, bytes_, sizeof at);
    return at;
  }
  void set_far(const char* at) noexcept { std::memcpy(bytes_, &at, sizeof at); }
  void free() noexcept {
    if (owned_) ::operator delete(const_cast<char*>(far()));
  }
  void take(key_text& other) noexcept {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    length_ = other.length_;
    owned_ = other.owned_;
    other.owned_ = 0;
  }

  char bytes_[20] = {};
  std::uint32_t length_ : 31 = 0;
  std::uint32_t owned_ : 1 = 0;
};
static_assert(sizeof(key_text) == 24);

}  // namespace openxpc::object
