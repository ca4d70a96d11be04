#include "supervise/credentials.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace openxpc::supervise {

namespace {

constexpr std::size_t most_entry_bytes = 1 << 20;

template <class N>
std::optional<N> number_of(const std::string& text) {
  N read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  // The highest number means "leave it" to the system calls.
  if (error != std::errc() || end != text.data() + text.size() || read == static_cast<N>(-1)) {
    return std::nullopt;
  }
  return read;
}

/// Calls one of the get..._r functions with a buffer that is large enough.
template <class Entry, class Key, class F>
bool look_up(F function, Key key, Entry* entry, std::vector<char>* buffer) {
  Entry* found = nullptr;
  for (buffer->resize(4096); buffer->size() <= most_entry_bytes;
       buffer->resize(2 * buffer->size())) {
    const int error = function(key, entry, buffer->data(), buffer->size(), &found);
    if (error != ERANGE) return error == 0 && found != nullptr;
  }
  return false;
}

failure_of find_user(const std::string& name, credentials* who) {
  passwd entry{};
  std::vector<char> buffer;
  const std::optional<uid_t> number = number_of<uid_t>(name);
  const bool found = number ? look_up(::getpwuid_r, *number, &entry, &buffer)
                            : look_up(::getpwnam_r, name.c_str(), &entry, &buffer);
  if (found) {
    who->uid = entry.pw_uid;
    who->gid = entry.pw_gid;
    who->user = entry.pw_name;
    who->home = entry.pw_dir;
    who->shell = entry.pw_shell;
    return std::nullopt;
  }
  if (!number) return trouble{trouble::kind::not_found, "UserName " + name + ": no such user"};
  who->uid = *number;
  who->gid = *number;
  who->user = name;
  who->home = "/";
  who->shell = "/bin/sh";
  return std::nullopt;
}

failure_of find_group(const std::string& name, credentials* who) {
  const std::optional<group_entry> found = group_of(name);
  if (!found) return trouble{trouble::kind::not_found, "GroupName " + name + ": no such group"};
  who->gid = found->gid;
  return std::nullopt;
}

}  // namespace

std::optional<group_entry> group_of(const std::string& name) {
  group entry{};
  std::vector<char> buffer;
  const std::optional<gid_t> number = number_of<gid_t>(name);
  const bool found = number ? look_up(::getgrgid_r, *number, &entry, &buffer)
                            : look_up(::getgrnam_r, name.c_str(), &entry, &buffer);
  if (!found && !number) return std::nullopt;
  group_entry result;
  result.gid = number ? *number : entry.gr_gid;
  for (char** each = found ? entry.gr_mem : nullptr; each != nullptr && *each != nullptr; ++each) {
    result.members.emplace_back(*each);
  }
  return result;
}

outcome<std::optional<credentials>> credentials_of(const job::process_setup& setup) {
  if (setup.user.empty() && setup.group.empty()) return std::optional<credentials>();
  credentials who;
  if (setup.user.empty()) {
    if (failure_of why = find_user(std::to_string(::geteuid()), &who)) return *why;
  } else if (failure_of why = find_user(setup.user, &who)) {
    return *why;
  }
  if (!setup.group.empty()) {
    if (failure_of why = find_group(setup.group, &who)) return *why;
  }
  who.groups = setup.groups.value_or(std::vector<gid_t>{who.gid});
  if (setup.init_groups && !setup.groups) {
    int count = 64;
    who.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(who.user.c_str(), who.gid, who.groups.data(), &count) < 0) {
      who.groups.resize(static_cast<std::size_t>(count));
      if (::getgrouplist(who.user.c_str(), who.gid, who.groups.data(), &count) < 0) count = 0;
    }
    who.groups.resize(static_cast<std::size_t>(count));
  }
  return std::optional<credentials>(std::move(who));
}

std::map<std::string, std::string> variables_of(const credentials& who) {
  return {{"HOME", who.home}, {"LOGNAME", who.user}, {"SHELL", who.shell}, {"USER", who.user}};
}

// The kernel keeps these per thread; libc's functions would change every thread of the process.
as_user::as_user(const std::optional<credentials>& who) {
  if (!who) return;
  changed_ = true;
  const int count = ::getgroups(0, nullptr);
  groups_before_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  in_force_ = ::getgroups(count, groups_before_.data()) >= 0 &&
              ::syscall(SYS_setgroups, who->groups.size(), who->groups.data()) == 0;
  ::setfsgid(who->gid);
  ::setfsuid(who->uid);
  // They report nothing but the value before, so a second call asks.
  in_force_ = in_force_ && static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == who->uid &&
              static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) == who->gid;
}

as_user::~as_user() {
  if (!changed_) return;
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  ::syscall(SYS_setgroups, groups_before_.size(), groups_before_.data());
  // Changing identities takes the process's /proc files away from itself.
  ::prctl(PR_SET_DUMPABLE, 1);
}

}  // namespace openxpc::supervise
