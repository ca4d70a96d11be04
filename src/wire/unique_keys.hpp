#pragma once

#include "wire/validate.hpp"

#include <cstdint>
#include <optional>

namespace openxpc::wire {

/// Dictionaries of up to this many keys are compared pair by pair as they are read; larger ones by
/// find_repeated_key().
inline constexpr std::uint32_t few_keys = 16;

/// Looks for a key that a dictionary has twice, through a table that is filled by the keyed hash,
/// so that a sender cannot make keys meet in it. All keys and values in it must have been validated
/// otherwise.
/// @param message  start of the message.
/// @param first    offset of the dictionary's first key.
/// @return the second of the first two equal keys, or out_of_memory; nothing when all differ.
std::optional<malformed> find_repeated_key(const std::byte* message, std::uint32_t first,
                                           std::uint32_t count) noexcept;

}  // namespace openxpc::wire
