#pragma once

#include "base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace openxpc::dispatch {

/// Sleeps while the word holds `value`. The pool and, where there is one, the engine of libxpc know
/// of it and let others work.
void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept;
/// The same until a deadline; false when it came first and the word still holds the value.
bool sleep_while_until(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                       base::instant deadline) noexcept;

}  // namespace openxpc::dispatch
