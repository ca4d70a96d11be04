#pragma once

#include <algorithm>
#include <cstdint>

// Credit, as pure arithmetic: docs/design/channel.md section 3. Two of these machines face one
// another: the giver at the receiving side, the spender at the sending side. One pair for messages,
// one pair for the rows of each subscription.
namespace openxpc::channel {

/// The sending side: spends what the other side grants.
class credit_spender {
 public:
  explicit credit_spender(std::uint64_t initial_total = 0) noexcept : total_(initial_total) {}

  bool affords(std::uint64_t bytes) const noexcept { return bytes <= total_ - sent_; }
  /// Only what affords() allowed.
  void spend(std::uint64_t bytes) noexcept { sent_ += bytes; }
  /// What was spent on a frame that did not leave after all.
  void take_back(std::uint64_t bytes) noexcept { sent_ -= bytes; }
  std::uint64_t left() const noexcept { return total_ - sent_; }

  /// A new total from the peer. False: it went down or is absurd, a protocol error.
  [[nodiscard]] bool grant(std::uint64_t total) noexcept {
    if (total < total_ || total - sent_ > (std::uint64_t{1} << 62)) return false;
    total_ = total;
    return true;
  }

 private:
  std::uint64_t total_;
  std::uint64_t sent_ = 0;
};

/// The receiving side: says how much may come, and notices when more came.
class credit_giver {
 public:
  explicit credit_giver(std::uint64_t credit_bytes = 0) noexcept
      : credit_bytes_(credit_bytes), announced_(credit_bytes) {}

  /// Something counted has arrived. False: it goes beyond the last announced total, a protocol
  /// error.
  [[nodiscard]] bool admit(std::uint64_t bytes) noexcept {
    if (bytes > announced_ - received_) return false;
    received_ += bytes;
    return true;
  }
  /// Bytes that a handler is done with.
  void let_go(std::uint64_t bytes) noexcept { let_go_ += bytes; }
  /// Rule 4: the advanced message has got so many bytes (more).
  void advance(std::uint64_t bytes) noexcept { advance_ += bytes; }
  /// The advanced message was let go of: its bytes change sides, the total stays.
  void let_go_advanced(std::uint64_t bytes) noexcept {
    advance_ -= std::min(advance_, bytes);
    let_go_ += bytes;
  }

  std::uint64_t total() const noexcept { return let_go_ + credit_bytes_ + advance_; }
  /// A quarter has gathered; or the sender has less than a quarter left, and either a sixteenth has
  /// gathered or nothing is held any more. (To announce every byte to a sender near its limit would
  /// cost a packet for each thing that is let go.)
  bool worth_announcing() const noexcept {
    const std::uint64_t gathered = total() - announced_;
    if (gathered >= credit_bytes_ / 4) return true;
    return gathered > 0 && announced_ - received_ < credit_bytes_ / 4 &&
           (gathered >= credit_bytes_ / 16 || held() == 0);
  }
  /// The total to announce; from now on what arrives is judged by it.
  std::uint64_t announce() noexcept { return announced_ = total(); }
  std::uint64_t held() const noexcept { return received_ - let_go_; }

 private:
  std::uint64_t credit_bytes_;
  std::uint64_t received_ = 0, let_go_ = 0, advance_ = 0;
  std::uint64_t announced_;
};

}  // namespace openxpc::channel
