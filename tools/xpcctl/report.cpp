#include "report.hpp"

#include <sysexits.h>

#include <cstdio>

namespace xpcctl {

namespace {

int say_message(const xpc::failure& why) {
  std::fprintf(stderr, "%s\n", std::string(why.message()).c_str());
  return EX_DATAERR;
}

}  // namespace

int report_input(const xpc::failure& why) {
  return why == xpc::errc::malformed ? say_message(why) : xpc::report(why);
}

int report_content(const xpc::failure& why) {
  return why == xpc::errc::invalid_argument ? say_message(why) : report_input(why);
}

}  // namespace xpcctl
