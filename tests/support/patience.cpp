#include "support/patience.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace xpc_testing {

std::chrono::milliseconds patience() {
  static const std::chrono::milliseconds value = [] {
    const char* text = std::getenv("OPENXPC_TEST_PATIENCE");
    long seconds = text ? std::atol(text) : 0;
    return std::chrono::seconds(seconds > 0 ? seconds : 30);
  }();
  return value;
}

void wait_until(std::string_view what, const std::function<bool()>& holds) {
  auto end = std::chrono::steady_clock::now() + patience();
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("this never came true: " + std::string(what));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace xpc_testing
