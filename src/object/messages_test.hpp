#pragma once

// For the tests of this layer: messages as if received, and descriptors to put into them.

#include "object/array.hpp"
#include "object/codec.hpp"
#include "object/data.hpp"
#include "object/endpoint.hpp"
#include "object/scalar.hpp"
#include "object/string.hpp"
#include "object/value.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

namespace openxpc::object::testing {

inline ref<object> text(std::string_view content) { return string::copy_of(content); }

inline ref<shared_fd> a_file() {
  return base::make_ref<shared_fd>(base::fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
}
inline ref<object> an_fd() { return base::make_ref<descriptor>(a_file()); }

inline ino_t inode_of(int fd) {
  struct stat seen{};
  if (::fstat(fd, &seen) != 0) throw std::runtime_error("fstat");
  return seen.st_ino;
}

struct sent {
  base::buffer bytes;
  attachments with;
};

/// What a dictionary looks like on its way. Fails the test if it cannot be sent.
inline sent send(const dictionary& message, wire::mode spoken = wire::mode::local) {
  sent out;
  encode_options options;
  options.spoken = spoken;
  auto problem = encode(message, out.bytes, out.with, options);
  if (problem) throw std::runtime_error(problem->text());
  return out;
}

/// What arrives of it at the other side.
inline ref<dictionary> receive(const sent& message, wire::mode spoken = wire::mode::local) {
  std::vector<base::fd> files;
  for (const auto& each : message.with) files.push_back(base::fd::copy(each->get()));
  std::optional<wire::malformed> fault;
  auto got = decode(message.bytes.view(), std::move(files), spoken, fault);
  if (!got) throw std::runtime_error(wire::describe(*fault));
  return got;
}

inline ref<dictionary> round_trip(const dictionary& message,
                                  wire::mode spoken = wire::mode::local) {
  return receive(send(message, spoken), spoken);
}

}  // namespace openxpc::object::testing
