#pragma once

#include "base/fd.hpp"
#include "base/ref.hpp"
#include "object/object.hpp"
#include "wire/tags.hpp"

#include <sys/types.h>

namespace openxpc::object {

/// An open descriptor with several owners: the box that a program sees, a message that waits to be
/// sent, a received message.
class shared_fd final : public base::counted {
 public:
  /// Closes it, where whoever lets go of the last reference need not wait for that.
  using closer = void (*)(base::fd) noexcept;

  explicit shared_fd(base::fd&& owned) noexcept : fd_(std::move(owned)) {}
  /// One that somebody sent. Closing it may hang for as long as its sender chose (threat T45), so
  /// it is left to close_received() unless it is of a kind that cannot.
  static ref<shared_fd> received(base::fd&& owned);
  /// Once for the process, by the layer that has a thread for it. Without one it is closed in
  /// place.
  static void close_received(closer how) noexcept;
  ~shared_fd() override;

  /// Lent; close-on-exec.
  int get() const noexcept { return fd_.get(); }

 private:
  base::fd fd_;
  bool received_ = false;
};

/// Whose word a descriptor's content rests on.
enum class made_by : std::uint8_t { peer, us };

/// A boxed descriptor (fd), or the descriptor of shared memory (shmem; shared_memory.hpp).
/// Immutable. Equal only to itself (rule 13).
class descriptor final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_FD;
  /// @param what  OPENXPC_TYPE_FD or OPENXPC_TYPE_SHMEM.  @param bytes  size of the shared memory.
  explicit descriptor(ref<shared_fd> file, kind what = its_kind, std::uint64_t bytes = 0,
                      made_by maker = made_by::peer) noexcept
      : object(what), file_(std::move(file)), bytes_(bytes), maker_(maker) {}

  const ref<shared_fd>& file() const noexcept { return file_; }
  int borrowed_fd() const noexcept { return file_->get(); }
  std::uint64_t shmem_bytes() const noexcept { return bytes_; }
  made_by maker() const noexcept { return maker_; }
  void describe(describer& out) const override;

 private:
  void destroy() noexcept override;
  ref<shared_fd> file_;
  std::uint64_t bytes_;
  made_by maker_;
};

}  // namespace openxpc::object
