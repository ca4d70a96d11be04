// Takes a descriptor and up to 80 MiB, and looks at the bytes where they arrived.
#include <xpc/xpc.hpp>

#include <fcntl.h>

#include <iostream>

int main() {
  return xpc::serve("org.example.digest",
                    {
                        .limits = {.message_bytes = 80 << 20},
                        .on_refused =
                            [](const xpc::failure& why, const xpc::peer_identity& who) {
                              std::cerr << who.describe() << " refused: " << why.explain() << '\n';
                            },
                        .on_request = [](xpc::request q) -> xpc::result<xpc::dictionary> {
                          auto file =
                              q.get<xpc::fd>("file").value();  // ours now, closed with the scope
                          auto bytes = q.get<std::span<const std::byte>>("data")
                                           .value();  // a view into the message: no copy
                          unsigned sum = 0;
                          for (auto b : bytes) sum += std::to_integer<unsigned>(b);
                          return {{"sum", sum}, {"flags", ::fcntl(file.get(), F_GETFL)}};
                        },
                    });
}
