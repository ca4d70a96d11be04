#include "bootstrap/variable.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace openxpc::bootstrap {

int number_in(const char* variable) noexcept {
  const char* text = ::secure_getenv(variable);
  int number = -1;
  if (!text) return -1;
  const char* end = text + std::strlen(text);
  auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end && number >= 0 ? number : -1;
}

}  // namespace openxpc::bootstrap
