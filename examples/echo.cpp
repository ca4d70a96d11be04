// A whole service: every message comes back as it was. The service manager launches it by the job
// description org.example.echo.plist when the first message comes.
#include <xpc/xpc.hpp>

int main() {
  return xpc::serve("org.example.echo", [](const xpc::dictionary& message) { return message; });
}
