// Two claims: what the validator accepts, the writer writes again byte for byte from what the
// cursors read (threat T40); and the validator accepts exactly what a slow reader accepts that was
// written from the rules alone.
#include "wire/transcribe.hpp"

#include "input.hpp"
#include "slow_reader.hpp"

using namespace openxpc;
using namespace openxpc::wire;
using fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Objects are only 4-byte aligned in their message, and messages not at all in memory.
  fuzz::exact_copy input(data, size, size % 8);
  base::bytes message = input.view();
  mode spoken = fuzz::mode_for(message);
  std::size_t attachments = 0;
  summary found;
  auto problem = fuzz::validate_with_attachments(message, attachments, found);
  bool accepted = fuzz::slow_reader(message, spoken, attachments).accepts();
  if (problem) {
    expect(!accepted, "the slow reader refuses too");
    return 0;
  }
  expect(accepted, "the slow reader accepts too");
  base::buffer again;
  writer to(again);
  to.header(spoken);
  transcribe(root(message), to);
  expect(to.ok() && again.size() == size, "as many bytes as were read");
  expect(std::memcmp(again.data(), message.data(), size) == 0, "the bytes that were read");
  return 0;
}
