#pragma once

namespace openxpc::base {

// Memory that is kept for its next user hides from AddressSanitizer who uses it too long. g++ tells
// by a macro that it is there, clang by a feature.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keeps_memory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keeps_memory = false;
#else
inline constexpr bool keeps_memory = true;
#endif
#else
inline constexpr bool keeps_memory = true;
#endif

}  // namespace openxpc::base
