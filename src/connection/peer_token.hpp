#pragma once

#include "connection/conversation.hpp"

#include <array>
#include <optional>

namespace openxpc::connection {

/// The process at the other end of a conversation as 32 bytes that a program may copy about. What
/// counts is a random key in them, by which this process finds what the kernel told it; the other
/// words are for people and for programs that only look. Threads: any.
using peer_token = std::array<std::uint32_t, 8>;

/// The same one for as long as the same process is at the other end; nothing while it is not known.
std::optional<peer_token> token_of(conversation& talk);
/// What the kernel said of the process that a token was made for, while there is a conversation
/// with it; nothing for any other bytes, one forged word included.
std::optional<conversation::identity> identity_of(const peer_token& token);
/// The conversation's tokens mean nothing any more.
void forget_tokens_of(const conversation& gone) noexcept;

}  // namespace openxpc::connection
