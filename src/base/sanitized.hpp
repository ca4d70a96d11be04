#pragma once

#if defined(__SANITIZE_THREAD__)
#define OPENXPC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OPENXPC_TSAN 1
#endif
#endif
#ifdef OPENXPC_TSAN
#include <sanitizer/tsan_interface.h>
#endif

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

// ThreadSanitizer goes by addresses: what one thread publishes in one mapping of shared memory and
// another sees in a second mapping is no order for it. These two are.
#ifdef OPENXPC_TSAN
inline char published_elsewhere;
inline void tell_published() noexcept { __tsan_release(&published_elsewhere); }
inline void tell_seen() noexcept { __tsan_acquire(&published_elsewhere); }
#else
inline void tell_published() noexcept {}
inline void tell_seen() noexcept {}
#endif

}  // namespace openxpc::base
