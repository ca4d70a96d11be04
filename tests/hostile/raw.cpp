#include "hostile/raw.hpp"

#include "support/patience.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

using openxpc::base::fd;

namespace hostile {
namespace {

constexpr std::size_t packet_most_bytes = 212960;
constexpr std::size_t piece_bytes = 131072;

void pad(std::string& to, std::size_t alignment) {
  to.resize((to.size() + alignment - 1) / alignment * alignment);
}

template <class T>
T load(const std::string& from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

}  // namespace

std::string pack(std::span<const frame> frames) {
  std::string out;
  for (const frame& each : frames) {
    const auto flags =
        static_cast<std::uint8_t>((each.more ? 1 : 0) | (each.deadline ? 2 : 0) |
                                  (each.sequence ? 4 : 0) | (each.row_credit ? 16 : 0));
    out += number(each.length.value_or(static_cast<std::uint32_t>(each.body.size())));
    out += number(each.what) + number(flags) + number(each.attachments) + number(each.id);
    for (const auto& extension : {each.deadline, each.sequence, each.row_credit})
      if (extension) out += number(*extension);
    out += each.body;
    pad(out, 8);
  }
  return out;
}

std::string pack(std::initializer_list<frame> frames) {
  return pack(std::span(frames.begin(), frames.size()));
}

std::string hello_packet(const hello_fields& fields) {
  std::string body = number(fields.magic) + number(fields.lowest) + number(fields.highest) +
                     number(fields.features) + number(fields.message_bytes) +
                     number(fields.credit_bytes) + number(fields.unanswered_count) +
                     number(fields.packet_bytes) + number(fields.attachments) +
                     number(fields.euid) + number(fields.egid);
  body.resize(84);
  return pack({{.what = hello, .body = body + fields.options}});
}

std::string dictionary_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string content;
  for (const auto& [key, value] : entries) {
    content += key + '\0';
    pad(content, 4);
    content += value;
  }
  const auto count = static_cast<std::uint32_t>(entries.size());
  return number(std::uint32_t{0xf000}) + number(static_cast<std::uint32_t>(content.size() + 4)) +
         number(count) + content;
}

std::string native(const std::string& root) {
  return number(std::uint32_t{0x40585043}) + number(std::uint32_t{5}) + root;
}
std::string fd_value() { return number(std::uint32_t{0xb000}); }
std::string endpoint_value() { return number(std::uint32_t{0x12000}); }
std::string shmem_value(std::uint64_t bytes) {
  return number(std::uint32_t{0xc000}) + number(bytes);
}
std::string int64_value(std::int64_t value) {
  return number(std::uint32_t{0x3000}) + number(value);
}
std::string string_value(const std::string& text) {
  std::string out = number(std::uint32_t{0x9000}) +
                    number(static_cast<std::uint32_t>(text.size() + 1)) + text + '\0';
  pad(out, 4);
  return out;
}
std::string data_value(const std::string& bytes) {
  std::string out =
      number(std::uint32_t{0x8000}) + number(static_cast<std::uint32_t>(bytes.size())) + bytes;
  pad(out, 4);
  return out;
}

std::string op(const std::string& what,
               const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::pair<std::string, std::string>> entries{{"op", string_value(what)}};
  entries.insert(entries.end(), more.begin(), more.end());
  return native(dictionary_of(entries));
}

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

line line::to(const std::string& path) {
  fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  if (socket && ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    socket.reset();
  return line(std::move(socket));
}

line line::greeted(const std::string& path) {
  line made = to(path);
  if (!made || !made.greet()) throw std::runtime_error("the service does not say hello");
  return made;
}

bool line::wait(short events, int milliseconds) {
  if (milliseconds < 0) milliseconds = static_cast<int>(xpc_testing::patience().count());
  pollfd what{socket_.get(), events, 0};
  return ::poll(&what, 1, milliseconds) == 1;
}

bool line::readable(int milliseconds) { return wait(POLLIN, milliseconds); }

bool line::greet(const hello_fields& fields) {
  std::optional<frame> first = receive();
  return first && first->what == hello && send(hello_packet(fields));
}

bool line::send(const std::string& packet, std::span<const int> fds) {
  alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))] = {};
  iovec whole{const_cast<char*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &whole;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    if (!wait(POLLOUT)) throw std::runtime_error("the other side takes nothing any more");
  }
}

bool line::try_send(const std::string& packet, std::chrono::milliseconds patience) {
  return wait(POLLOUT, static_cast<int>(patience.count())) &&
         ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

std::optional<frame> line::receive() {
  if (offset_ == packet_.size()) {
    offset_ = 0;
    packet_.resize(packet_most_bytes);
    alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int)) + 256];
    iovec whole{packet_.data(), packet_.size()};
    msghdr message{};
    message.msg_iov = &whole;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (!wait(POLLIN)) throw std::runtime_error("the other side says nothing");
    ssize_t got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    // A peer that closed with unread data: what it sent before is still there.
    if (got < 0 && errno == ECONNRESET)
      got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    packet_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got <= 0) return std::nullopt;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
      if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
      for (std::size_t i = 0; i < (each->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
        int number;
        std::memcpy(&number, CMSG_DATA(each) + i * sizeof number, sizeof number);
        ::close(number);
      }
    }
  }
  frame out;
  const auto length = load<std::uint32_t>(packet_, offset_);
  out.what = load<std::uint8_t>(packet_, offset_ + 4);
  const auto flags = load<std::uint8_t>(packet_, offset_ + 5);
  out.more = flags & 1;
  out.attachments = load<std::uint16_t>(packet_, offset_ + 6);
  out.id = load<std::uint64_t>(packet_, offset_ + 8);
  std::size_t at = offset_ + 16;
  auto extension = [&](std::uint8_t flag, std::optional<std::uint64_t>& to) {
    if (!(flags & flag)) return;
    to = load<std::uint64_t>(packet_, at);
    at += 8;
  };
  std::optional<std::uint64_t> flow;
  extension(2, out.deadline);
  extension(4, out.sequence);
  extension(8, flow);
  extension(16, out.row_credit);
  out.body = packet_.substr(at, length);
  offset_ = (at + length + 7) / 8 * 8;
  if (out.what == credit && out.id == 0) credit_ = load<std::uint64_t>(out.body, 0);
  return out;
}

std::optional<frame> line::answer_to(std::uint64_t id) {
  std::string before;
  while (std::optional<frame> next = receive()) {
    if (next->id != id || (next->what != reply && next->what != failure)) continue;
    next->body = before + next->body;
    if (!next->more) return next;
    before = std::move(next->body);
  }
  return std::nullopt;
}

std::string line::read_to_end() {
  std::string text;
  while (std::optional<frame> next = receive()) {
    if (next->what == close) text = next->body;
    if (next->what == refusal) text = next->body.substr(8);
  }
  return text;
}

bool line::send_long(frame whole) {
  const std::string all = std::move(whole.body);
  for (std::size_t at = 0; at < all.size(); at += piece_bytes) {
    whole.more = all.size() - at > piece_bytes;
    whole.body = all.substr(at, piece_bytes);
    const std::string packet = pack({whole});
    while (sent_ + packet.size() > credit_)
      if (!receive()) return false;
    if (!send(packet)) return false;
    sent_ += packet.size();
    whole.deadline = whole.row_credit = std::nullopt;
  }
  return true;
}

lingering::lingering() {
  fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  expect(::listen(listener.get(), 1) == 0, "listen");
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  expect(::getsockname(listener.get(), where, &size) == 0, "getsockname");
  sender.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  expect(::connect(sender.get(), where, size) == 0, "connect");
  reader.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const struct linger an_hour{1, 3600};
  ::setsockopt(sender.get(), SOL_SOCKET, SO_LINGER, &an_hour, sizeof an_hour);
  const std::string much(65536, 'x');
  while (::send(sender.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
}

}  // namespace hostile
