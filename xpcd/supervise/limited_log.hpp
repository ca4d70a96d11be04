#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace openxpc::supervise {

/// Lines that somebody else can cause: so many in a while are printed, the rest is counted and told
/// with the next one. One thread.
class limited_log {
 public:
  struct limits {
    unsigned lines = 10;
    std::chrono::nanoseconds in = std::chrono::seconds(10);
  };
  limited_log() = default;
  explicit limited_log(limits how) : how_(how) {}

  /// The text to print now, or nothing. Ends with how many were left out before it.
  std::string take(std::string_view text, base::instant now) {
    if (first_ == base::instant{} || now - first_ >= how_.in) {
      first_ = now;
      said_ = 0;
    }
    if (said_ >= how_.lines) {
      ++left_out_;
      return {};
    }
    ++said_;
    std::string line(text);
    if (left_out_ != 0) line += " (" + std::to_string(left_out_) + " more such lines left out)";
    left_out_ = 0;
    return line;
  }

 private:
  limits how_;
  base::instant first_{};
  unsigned said_ = 0;
  std::uint64_t left_out_ = 0;
};

/// What somebody else sent, fit for a log: one line, no codes for a terminal, not long.
std::string for_log(std::string_view foreign, std::size_t most = 64);

}  // namespace openxpc::supervise
