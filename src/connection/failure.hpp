#pragma once

#include "base/ref.hpp"
#include "channel/hello.hpp"
#include "channel/sink.hpp"
#include "object/rich_error.hpp"

#include <xpc/openxpc/error.h>

#include <string_view>

namespace openxpc::connection {

using error_ref = base::ref<object::rich_error>;

/// An error of this library.
[[gnu::cold]] error_ref make_error(openxpc_error_code_t code, std::string_view message,
                                   std::string_view remedy = {}, openxpc_error_flags_t flags = 0);

/// How an error code travels in a refusal: behind the channel's own codes.
constexpr std::uint32_t refusal_code_of(openxpc_error_code_t code) noexcept {
  return channel::refusal_code::first_free + static_cast<std::uint32_t>(code);
}

/// What the end of a channel means to whoever used it; the one place where channel reasons become
/// error codes.
error_ref error_of(const channel::closing& how);
/// What everything fails with in a forked child: there is no engine, and a lock may be held by a
/// thread that is not there. So it is asked about first, by engine::forked().
[[gnu::cold]] error_ref forked_error();
/// Why a request got no answer. @param because  what made this side leave; null where the other
/// side went.
error_ref error_of(channel::fate how, const error_ref& because = nullptr);

}  // namespace openxpc::connection
