// Whatever the bytes: the validator ends without touching anything outside them, names an offset
// inside them, and what it accepts can be read through cursors in every part, in agreement with its
// summary.
#include "wire/cursor.hpp"

#include <string>
#include <vector>

#include "input.hpp"

using namespace openxpc;
using namespace openxpc::wire;
using fuzz::expect;

namespace {

struct walked {
  std::uint32_t entries = 0;
  std::vector<std::uint32_t> out_of_line;
  std::uint64_t sum = 0;  // of what was read, so that no read is left out
};

void touch(base::bytes data, walked& seen) {
  for (std::byte each : data) seen.sum += std::to_integer<unsigned>(each);
}

void walk(const value& at, unsigned depth, walked& seen) {
  expect(depth <= 64, "accepted values are no deeper than the limit");
  touch(at.encoded(), seen);
  if (is_out_of_line(at.type())) seen.out_of_line.push_back(at.offset());
  switch (at.type()) {
    case tag::boolean:
      seen.sum += at.to_bool();
      break;
    case tag::string: {
      std::string_view text = at.string();
      expect(text.find('\0') == std::string_view::npos, "no NUL inside a string");
      expect(text.data()[text.size()] == '\0', "a NUL behind a string");
      break;
    }
    case tag::data:
      touch(at.data(), seen);
      break;
    case tag::array: {
      std::uint32_t visited = 0, end = at.offset() + 12;
      for (value each : at.elements()) {
        walk(each, depth + 1, seen);
        end = each.end_offset();
        ++visited;
      }
      expect(visited == at.count() && end == at.end_offset(), "elements fill their array");
      seen.entries += visited;
      break;
    }
    case tag::dictionary: {
      std::uint32_t visited = 0, end = at.offset() + 12;
      for (const entry& each : at.entries()) {
        walk(each.content, depth + 1, seen);
        if (visited < 50)
          expect(at.find(each.key).offset() == each.content.offset(), "a key finds its own value");
        end = each.content.end_offset();
        ++visited;
      }
      expect(visited == at.count() && end == at.end_offset(), "entries fill their dictionary");
      seen.entries += visited;
      break;
    }
    case tag::file_transfer:
      seen.sum += at.transfer_id();
      walk(at.transfer_object(), depth + 2, seen);
      expect(at.transfer_object().end_offset() == at.end_offset(),
             "a transfer ends with its dictionary");
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::exact_copy input(data, size, 0);
  base::bytes message = input.view();
  std::size_t attachments = 0;
  summary found;
  if (auto problem = fuzz::validate_with_attachments(message, attachments, found)) {
    expect(problem->offset <= size, "the offset of a problem is in the message");
    expect(describe(*problem).find("unknown fault") == std::string::npos,
           "each problem has a reason");
    return 0;
  }
  walked seen;
  walk(root(message), 1, seen);
  expect(root(message).end_offset() == size, "the root fills the message");
  expect(seen.entries == found.entries, "the summary counts the entries");
  expect(
      seen.out_of_line.size() == attachments && found.out_of_line.size() == attachments &&
          std::equal(seen.out_of_line.begin(), seen.out_of_line.end(), found.out_of_line.begin()),
      "the summary knows the places of the attachments");
  expect(validate(message, fuzz::mode_for(message), attachments + 1).has_value(),
         "one attachment too many is refused");
  return 0;
}
