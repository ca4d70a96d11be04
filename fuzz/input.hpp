#pragma once

#include "wire/validate.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace openxpc::fuzz {

/// Stops the fuzzer with a reason; the input is then kept.
[[noreturn]] inline void broken(const char* claim) {
  std::fprintf(stderr, "broken: %s\n", claim);
  std::abort();
}
inline void expect(bool holds, const char* claim) {
  if (!holds) broken(claim);
}

/// The input in memory of exactly its size, `shift` bytes away from an aligned address.
class exact_copy {
 public:
  exact_copy(const std::uint8_t* data, std::size_t size, std::size_t shift)
      : memory_(std::make_unique<std::byte[]>(shift + size)), view_(memory_.get() + shift, size) {
    if (size) std::memcpy(memory_.get() + shift, data, size);
  }
  base::bytes view() const noexcept { return view_; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  base::bytes view_;
};

/// The mode that the header asks for.
inline wire::mode mode_for(base::bytes message) noexcept {
  bool native =
      message.size() >= 4 && base::load<std::uint32_t>(message.data()) == wire::native_magic;
  return native ? wire::mode::local : wire::mode::file;
}

/// Validates with as many attachments as the message has places for, as long as these are few.
inline std::optional<wire::malformed> validate_with_attachments(base::bytes message,
                                                                std::size_t& attachments,
                                                                wire::summary& found) {
  for (attachments = 0;; ++attachments) {
    auto problem = wire::validate(message, mode_for(message), attachments, {}, &found);
    if (!problem || problem->what != wire::fault::attachment_missing || attachments == 8)
      return problem;
  }
}

}  // namespace openxpc::fuzz
