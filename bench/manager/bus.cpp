#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>

#include "managers.hpp"

// As much of D-Bus as one call and its reply need, without a library of its own: that nobody says
// the other side was slowed down by one. Little endian, no signatures but "s", "u" and "x".
namespace manager_bench {
namespace {

enum class kind : unsigned char { call = 1, reply = 2 };
enum class field : unsigned char {
  path = 1,
  interface = 2,
  member = 3,
  reply_to = 5,
  destination = 6,
  sender = 7,
  signature = 8
};

class packet {
 public:
  packet(kind what, std::uint32_t serial) {
    bytes_ = {'l', static_cast<char>(what), 0, 1};
    put(std::uint32_t{0});  // length of the body
    put(serial);
    put(std::uint32_t{0});  // length of the fields
  }
  void add(field which, char type, const std::string& text) {
    begin(which, type);
    if (type == 'g') {
      bytes_.push_back(static_cast<char>(text.size()));
      bytes_ += text + '\0';
    } else {
      put_text(text);
    }
  }
  void add(field which, std::uint32_t number) {
    begin(which, 'u');
    put(number);
  }
  void begin_body() {
    set(12, static_cast<std::uint32_t>(bytes_.size() - 16));
    align(8);
    body_ = bytes_.size();
  }
  template <class T>
  void put(T number) {
    align(sizeof number);
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void put_text(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_ += text + '\0';
  }
  const std::string& finish() {
    set(4, static_cast<std::uint32_t>(bytes_.size() - body_));
    return bytes_;
  }

 private:
  void begin(field which, char type) {
    align(8);
    bytes_ += {static_cast<char>(which), 1, type, 0};
  }
  void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }
  void set(std::size_t at, std::uint32_t number) {
    std::memcpy(bytes_.data() + at, &number, sizeof number);
  }
  std::string bytes_;
  std::size_t body_ = 0;
};

struct incoming {
  kind what;
  std::uint32_t serial = 0, reply_to = 0;
  std::string sender, member, body;
};

class bus_line {
 public:
  explicit bus_line(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (socket_ < 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      give_up(path + ": no bus");
    std::string user;
    for (const char digit : std::to_string(::geteuid()))
      user += "3" + std::string(1, digit);  // hexadecimal of an ASCII digit
    send(std::string(1, '\0') + "AUTH EXTERNAL " + user + "\r\n");
    std::string said;
    for (char one = 0; one != '\n'; said.push_back(one))
      if (::read(socket_, &one, 1) != 1) give_up("the bus does not let us in");
    if (said.compare(0, 2, "OK") != 0) give_up("the bus says " + said);
    send("BEGIN\r\n");
    call("org.freedesktop.DBus", "Hello", "");
  }
  bus_line(const bus_line&) = delete;
  bus_line& operator=(const bus_line&) = delete;
  ~bus_line() { ::close(socket_); }

  /// Waits for the reply. @return its body.
  std::string call(const std::string& whom, const std::string& member, const std::string& signature,
                   const std::string& text = {}, std::int64_t number = 0) {
    const bool is_bus = whom == "org.freedesktop.DBus";
    const std::uint32_t serial = next_++;
    packet out(kind::call, serial);
    out.add(field::path, 'o', is_bus ? "/org/freedesktop/DBus" : "/bench");
    out.add(field::interface, 's', is_bus ? whom : "org.example.Bench");
    out.add(field::member, 's', member);
    out.add(field::destination, 's', whom);
    if (!signature.empty()) out.add(field::signature, 'g', signature);
    out.begin_body();
    if (signature == "su") out.put_text(text), out.put(std::uint32_t{4});  // do not queue for it
    if (signature == "x") out.put(number);
    send(out.finish());
    for (;;) {
      incoming got = receive();
      // What a service was started for comes before it is told that it has the name.
      if (got.what == kind::call) {
        held_.push_back(std::move(got));
        continue;
      }
      if (got.reply_to != serial) continue;
      if (got.what != kind::reply) give_up("the bus refuses " + member + ": " + got.body);
      return got.body;
    }
  }
  void reply(const incoming& to, std::int64_t number) {
    packet out(kind::reply, next_++);
    out.add(field::reply_to, to.serial);
    out.add(field::destination, 's', to.sender);
    out.add(field::signature, 'g', "x");
    out.begin_body();
    out.put(number);
    send(out.finish());
  }
  /// The next call to us.
  incoming take_call() {
    while (held_.empty())
      if (incoming got = receive(); got.what == kind::call) held_.push_back(std::move(got));
    incoming first = std::move(held_.front());
    held_.pop_front();
    return first;
  }

 private:
  incoming receive() {
    std::string head = take(16);
    incoming got;
    got.what = static_cast<kind>(head[1]);
    const std::uint32_t body = number_at(head, 4), fields = number_at(head, 12);
    got.serial = number_at(head, 8);
    const std::string rest = take((fields + 7) / 8 * 8 + body);
    for (std::size_t at = 0; at < fields; at = (at + 7) / 8 * 8) {
      const auto which = static_cast<field>(rest[at]);
      const char type = rest[at + 2];
      at += 4;
      if (type == 'u') {
        if (which == field::reply_to) got.reply_to = number_at(rest, at);
        at += 4;
      } else if (type == 'g') {
        at += static_cast<unsigned char>(rest[at]) + 2u;
      } else {
        const std::uint32_t size = number_at(rest, at);
        if (which == field::sender) got.sender = rest.substr(at + 4, size);
        if (which == field::member) got.member = rest.substr(at + 4, size);
        at += 4 + size + 1;
      }
    }
    got.body = rest.substr((fields + 7) / 8 * 8);
    return got;
  }

  static std::uint32_t number_at(const std::string& text, std::size_t at) {
    std::uint32_t number;
    std::memcpy(&number, text.data() + at, sizeof number);
    return number;
  }
  void send(const std::string& bytes) const {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size()))
      give_up("the bus takes nothing");
  }
  std::string take(std::size_t size) {
    std::string out(size, '\0');
    const ssize_t got = size == 0 ? 0 : ::recv(socket_, out.data(), size, MSG_WAITALL);
    if (got < 0) give_up("the bus says nothing");
    if (got != static_cast<ssize_t>(size)) std::exit(0);  // it is gone, and whoever it started goes
    return out;
  }
  int socket_ = -1;
  std::uint32_t next_ = 1;
  std::deque<incoming> held_;
};

std::string socket_of(const std::string& address) {
  const std::string before = "unix:path=";
  const std::string rest = address.substr(before.size());
  return rest.substr(0, rest.find(','));
}

std::int64_t number_in(const std::string& body) {
  std::int64_t number = 0;
  if (body.size() >= sizeof number) std::memcpy(&number, body.data(), sizeof number);
  return number;
}

}  // namespace

std::string bus_address(const std::string& directory, const std::string& program,
                        const std::string& name) {
  const std::string address = "unix:path=" + directory + "/bus";
  std::ofstream(directory + "/bus.conf")
      << "<busconfig><type>session</type><listen>" << address << "</listen><servicedir>"
      << directory << "</servicedir><policy context=\"default\"><allow send_destination=\"*\"/>"
      << "<allow receive_sender=\"*\"/>"
      << "<allow own=\"*\"/></policy></busconfig>\n";
  std::ofstream(directory + "/" + name + ".service")
      << "[D-BUS Service]\nName=" << name << "\nExec=" << program << " --bus " << name << "\n";
  return address;
}

double first_reply_over_bus(const std::string& address, const std::string& name) {
  bus_line line(socket_of(address));
  const double begin = seconds_since_boot();
  const std::string reply = line.call(name, "Next", "x", {}, 41);
  const double took = seconds_since_boot() - begin;
  if (number_in(reply) != 42) give_up("a wrong reply over the bus");
  return took;
}

int serve_on_bus(const std::string& name) {
  const char* address = std::getenv("DBUS_STARTER_ADDRESS");
  if (address == nullptr) give_up("not started by a bus");
  bus_line line(socket_of(address));
  line.call("org.freedesktop.DBus", "RequestName", "su", name);
  for (;;) {
    const incoming got = line.take_call();
    if (got.member == "Next") line.reply(got, number_in(got.body) + 1);
  }
}

}  // namespace manager_bench
