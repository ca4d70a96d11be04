// Sends digest.cpp a descriptor and 64 MiB that were filled in the memory that is sent.
#include <xpc/xpc.hpp>

#include <fcntl.h>

#include <algorithm>
#include <iostream>

int main(int, char** argv) {
  auto digest = xpc::session::open("org.example.digest");
  if (!digest) return xpc::report(digest.error());
  auto block = xpc::data_builder::create(64 << 20).value();
  std::ranges::fill(block.bytes(), std::byte{1});
  xpc::fd file(::open(argv[0], O_RDONLY | O_CLOEXEC));
  auto reply = digest->call({{"file", file}, {"data", std::move(block).finish(64 << 20)}}).wait();
  if (!reply) return xpc::report(reply.error());
  std::cout << reply->get<unsigned>("sum").value() << '\n';
}
