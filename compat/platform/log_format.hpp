#pragma once

#include <array>
#include <cstdarg>
#include <cstddef>
#include <string_view>

namespace openxpc::platform {

/// The text of a message, cut where it is full.
class message_text {
 public:
  static constexpr std::size_t capacity = std::size_t{16} << 10;

  void append(std::string_view more) noexcept;
  /// As snprintf(3).
  void print(const char* format, ...) noexcept __attribute__((format(printf, 2, 3)));
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  void cut() noexcept;
  std::array<char, capacity + 1> bytes_{};  // one for the NUL of snprintf
  std::size_t size_ = 0;
  bool full_ = false;  // nothing comes after a cut
};

/// Appends a message in the language of <os/log.h>. @param error what %m stands for.
void format_message(message_text& out, const char* format, va_list arguments, int error) noexcept;

}  // namespace openxpc::platform
