#include "support/role.hpp"

#include "support/harness.hpp"
#include "support/sanitizers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

namespace xpc_testing {
namespace {

// A function's static, since roles register before main in an order nobody knows.
std::map<std::string, role_function, std::less<>>& roles() {
  static std::map<std::string, role_function, std::less<>> all;
  return all;
}

}  // namespace

bool register_role(const char* name, role_function function) {
  return roles().emplace(name, function).second;
}

int role_call::borrowed_fd(int index) const {
  if (index < 0 || index >= descriptor_count) {
    std::fprintf(stderr, "role: there is no descriptor %d, only %d were handed over\n", index,
                 descriptor_count);
    std::exit(121);
  }
  return 3 + index;
}

void say(const std::string& line) {
  std::string text = line + '\n';
  for (std::size_t done = 0; done < text.size();) {
    ssize_t written = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (written < 0) return;
    done += static_cast<std::size_t>(written);
  }
}

std::string hear() {
  std::string line;
  char byte;
  // One byte at a time: a role may hand its standard input on, so nothing may be read ahead.
  while (::read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

void run_role_if_asked(int argc, char** argv) {
  constexpr std::string_view flag = "--xpc-role=";
  if (argc < 2 || std::strncmp(argv[1], flag.data(), flag.size()) != 0) return;
  const char* name = argv[1] + flag.size();
  auto role = roles().find(std::string_view(name));
  if (role == roles().end()) {
    std::fprintf(stderr, "%s: there is no role %s in this test program\n", argv[0], name);
    std::exit(120);
  }
  collect_reports_of_role();
  role_call call;
  call.arguments.assign(argv + 2, argv + argc);
  if (const char* count = std::getenv("OPENXPC_TEST_ROLE_FDS"))
    call.descriptor_count = std::atoi(count);
  ::unsetenv("OPENXPC_TEST_ROLE_FDS");
  for (int i = 0; i < call.descriptor_count; ++i) ::fcntl(3 + i, F_SETFD, FD_CLOEXEC);
  std::exit(role->second(call));
}

}  // namespace xpc_testing
