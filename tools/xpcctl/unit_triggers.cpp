// What starts a service: sockets, times, paths.

#include <cstdio>

#include "unit_parts.hpp"

namespace xpcctl {

using openxpc::job::calendar_time;
using openxpc::job::socket_entry;

namespace {

constexpr const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string two_digits(const std::optional<int>& number) {
  if (!number) return "*";
  char text[8];
  std::snprintf(text, sizeof text, "%02d", *number);
  return text;
}

std::string calendar_line(const calendar_time& when) {
  std::string day = when.weekday ? std::string(weekdays[*when.weekday]) + " " : "";
  return "OnCalendar=" + day + "*-" + two_digits(when.month) + "-" + two_digits(when.day) + " " +
         two_digits(when.hour) + ":" + two_digits(when.minute) + ":00\n";
}

/// ADDRESS:PORT as ListenStream= takes it; nothing where only a running xpcd could say.
std::string address_of(const socket_entry& entry) {
  if (entry.node.empty()) {
    return entry.how == socket_entry::family::ipv4   ? "0.0.0.0:" + entry.service
           : entry.how == socket_entry::family::ipv6 ? "[::]:" + entry.service
                                                     : entry.service;
  }
  const bool is_ipv6 = entry.node.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + entry.node + "]" : entry.node) + ":" + entry.service;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

bool is_address(const std::string& text) {
  return text.empty() || text.find_first_not_of("0123456789.") == std::string::npos ||
         text.find(':') != std::string::npos;
}

std::string listen_lines(const socket_entry& entry, unit_builder* out) {
  if (entry.type == socket_entry::kind::seqpacket) {
    out->warn("Sockets/" + entry.name,
              "systemd does not tell it from the socket of a name; launch_activate_socket does not "
              "give it");
  }
  const std::string how = entry.type == socket_entry::kind::datagram    ? "ListenDatagram="
                          : entry.type == socket_entry::kind::seqpacket ? "ListenSequentialPacket="
                                                                        : "ListenStream=";
  if (entry.how != socket_entry::family::unix_path) {
    if (!is_number(entry.service) || !is_address(entry.node)) {
      out->warn("Sockets/" + entry.name,
                "a unit takes numbers only; write the address and the port instead of names");
    }
    std::string lines = how + unit_value(address_of(entry)) + "\n";
    if (entry.how == socket_entry::family::ipv6) lines += "BindIPv6Only=ipv6-only\n";
    if (entry.how == socket_entry::family::both_in_one) lines += "BindIPv6Only=both\n";
    return lines;
  }
  char mode[32];
  std::snprintf(mode, sizeof mode, "SocketMode=%04o\n", entry.path_mode);
  std::string lines = how + unit_value(entry.path) + "\n" + mode;
  if (entry.path_owner) lines += "SocketUser=" + std::to_string(*entry.path_owner) + "\n";
  if (entry.path_group) lines += "SocketGroup=" + std::to_string(*entry.path_group) + "\n";
  return lines;
}

std::string wanted_by(const char* target) {
  return std::string("\n[Install]\nWantedBy=") + target + "\n";
}

}  // namespace

void unit_builder::add_socket(const std::string& descriptor, const std::string& unit,
                              const std::string& lines) {
  std::string text = "[Unit]\nDescription=" + unit_value(descriptor) + " of " + label() +
                     "\n\n[Socket]\n" + lines + "FileDescriptorName=" + unit_value(descriptor) +
                     "\nService=" + label() + ".service\n" + wanted_by("sockets.target");
  out.files[unit] = std::move(text);
  socket_units.push_back(unit);
}

void unit_builder::add_sockets() {
  const bool several = job.names.size() + job.sockets.size() > 1;
  for (const std::string& name : job.names) {
    // Where clients look for it: in the directory of the domain, which is below /run or
    // $XDG_RUNTIME_DIR. The rules of the file are the directory's.
    add_socket(name, label() + (several ? "@" + name : "") + ".socket",
               "ListenSequentialPacket=%t/xpc/" + unit_value(name) +
                   "\nSocketMode=" + (how.system ? "0666" : "0600") +
                   "\nDirectoryMode=" + (how.system ? "0755" : "0700") +
                   "\nPassCredentials=yes\nBacklog=4096\n" + "RemoveOnStop=yes\n");
  }
  std::map<std::string, std::string> entries;  // several of one name are one unit
  for (const socket_entry& entry : job.sockets) entries[entry.name] += listen_lines(entry, this);
  for (const auto& [name, lines] : entries) {
    add_socket(name, label() + (several ? "@Sockets@" + name : "") + ".socket", lines);
  }
}

void unit_builder::add_timer() {
  std::string lines;
  if (job.start_interval.count() > 0) {
    const std::string seconds = std::to_string(job.start_interval.count());
    lines += "OnActiveSec=" + seconds + "\nOnUnitActiveSec=" + seconds + "\n";
  }
  for (calendar_time when : job.calendar) {
    // Of a day and a weekday one is enough here, systemd wants both: two lines.
    if (when.day && when.weekday) {
      calendar_time without_weekday = when;
      without_weekday.weekday.reset();
      lines += calendar_line(without_weekday);
      when.day.reset();
    }
    lines += calendar_line(when);
  }
  if (lines.empty()) return;
  out.files[label() + ".timer"] = "[Unit]\nDescription=Times of " + label() + "\n\n[Timer]\n" +
                                  lines + "AccuracySec=1s\nUnit=" + label() + ".service\n" +
                                  wanted_by("timers.target");
}

void unit_builder::add_paths() {
  std::string lines;
  for (const std::string& path : job.watch_paths) {
    lines += "PathModified=" + unit_value(path) + "\n";
  }
  for (const std::string& path : job.queue_directories) {
    lines += "DirectoryNotEmpty=" + unit_value(path) + "\n";
  }
  for (const auto& [path, is_there] : job.keep.path_state) {
    if (is_there) {
      lines += "PathExists=" + unit_value(path) + "\n";
    } else {
      warn("KeepAlive/PathState/" + path, "no unit waits for a path to be gone");
    }
  }
  if (lines.empty()) return;
  out.files[label() + ".path"] = "[Unit]\nDescription=Paths of " + label() + "\n\n[Path]\n" +
                                 lines + "Unit=" + label() + ".service\n" +
                                 wanted_by("paths.target");
}

}  // namespace xpcctl
