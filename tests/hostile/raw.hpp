#pragma once

#include "base/fd.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The protocol as somebody else would speak it: written from docs/design/channel.md, without a
/// line of the library's. It sends what it is told to, right or wrong.
namespace hostile {

enum kind : std::uint8_t {
  hello,
  refusal,
  message,
  request,
  reply,
  failure,
  progress,
  cancel,
  subscribe,
  row,
  end,
  credit,
  proven,
  close,
  ring,
  accepted,
  answer
};

/// One frame; `length` other than the body's size is a lie.
struct frame {
  std::uint8_t what = message;
  std::uint64_t id = 0;
  std::string body = {};
  bool more = false;
  std::uint16_t attachments = 0;
  std::optional<std::uint64_t> deadline = {}, sequence = {}, row_credit = {};
  std::optional<std::uint32_t> length = {};
};
/// The bytes of a packet.
std::string pack(std::span<const frame> frames);
std::string pack(std::initializer_list<frame> frames);

/// A number as it stands on the wire.
template <class T>
std::string number(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The fields of a hello, to be spoilt.
struct hello_fields {
  std::uint32_t magic = 0x4c435058;
  std::uint16_t lowest = 1, highest = 1;
  std::uint64_t features = 0, message_bytes = 128 << 20, credit_bytes = 1 << 20;
  std::uint32_t unanswered_count = 1024, packet_bytes = 212960, attachments = 256;
  std::string options = {};
  std::uint32_t euid = ::geteuid(), egid = ::getegid();
};
std::string hello_packet(const hello_fields& fields = {});

/// An encoded message with this root, and encoded values to put into one.
std::string native(const std::string& root);
std::string dictionary_of(const std::vector<std::pair<std::string, std::string>>& entries);
std::string fd_value();
std::string endpoint_value();
std::string shmem_value(std::uint64_t bytes);
std::string string_value(const std::string& text);
std::string int64_value(std::int64_t value);
std::string data_value(const std::string& bytes);
/// The message {op: `what`, ...}.
std::string op(const std::string& what,
               const std::vector<std::pair<std::string, std::string>>& more = {});

/// Throws with `what` unless it holds: an attacker that cannot do what it is for has failed.
void expect(bool holds, const std::string& what);

/// One end of a connection.
class line {
 public:
  explicit line(openxpc::base::fd connected) : socket_(std::move(connected)) {}
  /// Connects to the name in the domain's directory; -1 when that fails.
  static line to(const std::string& path);
  /// The same, and hello said. Throws when the service does not answer it.
  static line greeted(const std::string& path);

  int borrowed_fd() const { return socket_.get(); }
  explicit operator bool() const { return static_cast<bool>(socket_); }
  void hang_up() { socket_.reset(); }

  /// As a client: waits for the service's hello, answers it. False when none came.
  bool greet(const hello_fields& fields = {});
  /// Sends a packet, waiting for room. False when the other side takes no more.
  bool send(const std::string& packet, std::span<const int> fds = {});
  /// The same, but gives up when there is no room for so long.
  bool try_send(const std::string& packet, std::chrono::milliseconds patience);
  /// The next frame, descriptors of its packet closed; nothing at the end of the stream.
  std::optional<frame> receive();
  /// The next answer (reply, failure) to `id`; what comes before it is passed over.
  std::optional<frame> answer_to(std::uint64_t id);
  /// Reads to the end of the stream; the text of the last close or refusal, else "".
  std::string read_to_end();
  /// A body too long for one packet, in pieces, as the credit allows.
  bool send_long(frame whole);
  /// True when something can be read (or the end was reached) before the time is over.
  bool readable(int milliseconds);

 private:
  bool wait(short events, int milliseconds = -1);
  openxpc::base::fd socket_;
  std::string packet_;
  std::size_t offset_ = 0;
  std::uint64_t credit_ = 1 << 20, sent_ = 0;
};

/// A TCP connection whose close takes an hour: SO_LINGER, and data that its other end does not
/// read. Resetting `reader` ends that.
struct lingering {
  openxpc::base::fd sender, reader;
  lingering();
};

}  // namespace hostile
