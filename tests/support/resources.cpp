#include "support/resources.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace xpc_testing {
namespace {

std::string proc(pid_t process, const char* file) {
  return "/proc/" + (process ? std::to_string(process) : std::string("self")) + "/" + file;
}

// The number behind "Name:" in /proc/PID/status.
std::size_t status_number(pid_t process, const std::string& name) {
  std::ifstream status(proc(process, "status"));
  for (std::string word; status >> word;) {
    std::size_t number = 0;
    if (word == name + ":" && status >> number) return number;
  }
  return 0;
}

}  // namespace

std::vector<open_descriptor> open_descriptors(pid_t process) {
  std::vector<open_descriptor> result;
  std::string folder = proc(process, "fd");
  DIR* listing = ::opendir(folder.c_str());
  if (!listing) return result;
  while (dirent* entry = ::readdir(listing)) {
    if (entry->d_name[0] == '.') continue;
    int number = std::atoi(entry->d_name);
    if (process == 0 && number == ::dirfd(listing)) continue;
    char target[4096];
    ssize_t length = ::readlinkat(::dirfd(listing), entry->d_name, target, sizeof target);
    if (length > 0) result.push_back({number, {target, static_cast<std::size_t>(length)}});
  }
  ::closedir(listing);
  std::sort(result.begin(), result.end());
  return result;
}

std::size_t descriptor_count(pid_t process) { return open_descriptors(process).size(); }

std::size_t resident_bytes(pid_t process) { return status_number(process, "VmRSS") * 1024; }

std::size_t thread_count(pid_t process) { return status_number(process, "Threads"); }

}  // namespace xpc_testing
