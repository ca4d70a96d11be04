// Sockets: what a job listens on besides the names of its services.

#include "job/name.hpp"
#include "job/read_keys.hpp"

#include <sys/un.h>

namespace openxpc::job {

namespace {

constexpr std::int64_t highest_port = 65535, highest_id = 0xfffffffe;
constexpr std::size_t most_path_bytes = sizeof(sockaddr_un::sun_path) - 1;

void read_type(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::string text;
  if (!in.text(path, value, &text)) return;
  if (text == "stream") {
    out->type = socket_entry::kind::stream;
  } else if (text == "dgram") {
    out->type = socket_entry::kind::datagram;
  } else if (text == "seqpacket") {
    out->type = socket_entry::kind::seqpacket;
  } else {
    in.error(path, "expected stream, dgram or seqpacket");
  }
}

void read_family(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::string text;
  if (!in.text(path, value, &text)) return;
  if (text == "IPv4") {
    out->how = socket_entry::family::ipv4;
  } else if (text == "IPv6") {
    out->how = socket_entry::family::ipv6;
  } else if (text == "IPv4v6") {
    out->how = socket_entry::family::both_in_one;
  } else if (text == "Unix") {
    out->how = socket_entry::family::unix_path;
  } else {
    in.error(path, "expected IPv4, IPv6, IPv4v6 or Unix");
  }
}

void read_protocol(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::string text;
  if (!in.text(path, value, &text)) return;
  if (text != "TCP" && text != "UDP") return in.error(path, "expected TCP or UDP");
  out->type = text == "UDP" ? socket_entry::kind::datagram : socket_entry::kind::stream;
}

void read_passive(reader& in, const key_path& path, xpc_object_t value, socket_entry*) {
  bool passive = true;
  if (in.boolean(path, value, &passive) && !passive) {
    in.error(path, "expected true: a job that connects to somebody does so itself");
  }
}

/// A port, or a name of /etc/services.
void read_service(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  if (is(value, OPENXPC_TYPE_STRING)) {
    in.text_not_empty(path, value, &out->service);
    return;
  }
  std::int64_t port = 0;
  if (in.integer(path, value, {0, highest_port}, &port)) out->service = std::to_string(port);
}

void read_path(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  if (!in.absolute_path(path, value, &out->path)) return;
  if (out->path.size() > most_path_bytes) {
    in.error(path, "a socket's path has at most " + std::to_string(most_path_bytes) + " bytes");
  }
}

void read_path_mode(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::int64_t mode = 0;
  if (in.integer(path, value, {0, 0777}, &mode)) out->path_mode = static_cast<mode_t>(mode);
}

void read_path_owner(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::int64_t id = 0;
  if (in.integer(path, value, {0, highest_id}, &id)) out->path_owner = static_cast<uid_t>(id);
}

void read_path_group(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  std::int64_t id = 0;
  if (in.integer(path, value, {0, highest_id}, &id)) out->path_group = static_cast<gid_t>(id);
}

void read_node(reader& in, const key_path& path, xpc_object_t value, socket_entry* out) {
  in.text_not_empty(path, value, &out->node);
}

struct field {
  const char* key;
  void (*read)(reader& in, const key_path& path, xpc_object_t value, socket_entry* out);
};

constexpr field fields[] = {
    {"SockFamily", read_family},        {"SockNodeName", read_node},
    {"SockPassive", read_passive},      {"SockPathGroup", read_path_group},
    {"SockPathMode", read_path_mode},   {"SockPathName", read_path},
    {"SockPathOwner", read_path_owner}, {"SockProtocol", read_protocol},
    {"SockServiceName", read_service},  {"SockType", read_type},
};

/// Keys of launchd.plist(5) without effect, and why.
struct ignored_field {
  const char *key, *why;
};

constexpr ignored_field ignored_fields[] = {
    {"Bonjour", "xpcd announces no services on the network"},
    {"MulticastGroup", "a program joins groups itself"},
    {"ReceivePacketInfo", "a program sets options of its sockets itself"},
    {"SecureSocketWithKey", "a path given by SockPathName is what others know it by"},
};

std::string why_ignored(const std::string& key) {
  for (const ignored_field& one : ignored_fields) {
    if (key == one.key) return std::string("has no effect here: ") + one.why;
  }
  return "has no effect: there is no such key";
}

void complete(reader& in, const key_path& path, socket_entry* entry) {
  using family = socket_entry::family;
  if (!entry->path.empty() && entry->how == family::any) entry->how = family::unix_path;
  if (entry->how == family::unix_path) {
    if (entry->path.empty()) in.error(path, "SockPathName is missing");
    if (!entry->service.empty() || !entry->node.empty()) {
      in.error(path, "SockPathName excludes SockNodeName and SockServiceName");
    }
  } else if (!entry->path.empty()) {
    in.error(path, "SockPathName is for SockFamily Unix");
  } else if (entry->service.empty()) {
    in.error(path, "SockServiceName is missing, and so is SockPathName");
  }
  if (entry->type == socket_entry::kind::seqpacket && entry->how != family::unix_path) {
    key_path here = path;
    here.emplace_back("SockType");
    in.error(here, "seqpacket is for SockFamily Unix");
  }
}

void read_entry(reader& in, const key_path& path, const std::string& name, xpc_object_t value,
                description* job) {
  if (!in.is_dictionary(path, value, "dictionary")) return;
  socket_entry entry;
  entry.name = name;
  each_entry(value, [&](const std::string& key, xpc_object_t one) {
    key_path here = path;
    here.push_back(key);
    for (const field& known : fields) {
      if (key == known.key) return known.read(in, here, one, &entry);
    }
    in.warn(here, why_ignored(key));
  });
  complete(in, path, &entry);
  job->sockets.push_back(std::move(entry));
}

}  // namespace

void read_sockets(reader& in, const key_path& path, xpc_object_t value, description* job) {
  if (!in.is_dictionary(path, value, "dictionary")) return;
  each_entry(value, [&](const std::string& name, xpc_object_t entry) {
    const key_path here{path.front(), name};
    if (auto wrong = wrong_with_name(name)) return in.error(here, *wrong);
    if (!is(entry, OPENXPC_TYPE_ARRAY)) return read_entry(in, here, name, entry, job);
    for (std::size_t at = 0; at < ::xpc_array_get_count(entry); ++at) {
      read_entry(in, {path.front(), name, std::to_string(at)}, name,
                 ::xpc_array_get_value(entry, at), job);
    }
  });
}

}  // namespace openxpc::job
