// Whatever the text: each reader of property lists and JSON ends within its limits, names a place
// inside the input, and what it accepts can be written in every notation that has a form for it and
// reads back the same.

#include "plist/read.hpp"
#include "plist/write.hpp"

#include <cmath>
#include <string>

#include "input.hpp"

using namespace openxpc;
using namespace openxpc::plist;
using fuzz::expect;

namespace {

/// Small, so that the fuzzer spends its time on many inputs and none of them is slow.
constexpr limits few{.bytes = 1 << 20, .depth = 64, .nodes = 20'000, .payload = 4 << 20};
/// For reading back: what was written is longer than what was read.
constexpr limits many{};

bool same(const node& a, const node& b, bool dates) {
  if (a.what != b.what || a.key != b.key || a.text != b.text || a.boolean != b.boolean ||
      a.natural != b.natural || a.children.size() != b.children.size())
    return false;
  if (a.integer != b.integer && (a.what != kind::date || dates)) return false;
  if (a.real != b.real && !(std::isnan(a.real) && std::isnan(b.real))) return false;
  for (std::size_t i = 0; i < a.children.size(); ++i)
    if (!same(a.children[i], b.children[i], dates)) return false;
  return true;
}

void write_and_read_back(const node& tree) {
  std::string text;
  node back;
  if (!write_xml(tree, text)) {
    expect(!read_xml(text, back, many), "written XML is read");
    expect(same(tree, back, true), "written XML says the same");
  }
  text.clear();
  if (!write_binary(tree, text)) {
    expect(!read_binary(base::as_bytes(text), back, many), "a written binary list is read");
    expect(same(tree, back, false), "a written binary list says the same");
  }
  text.clear();
  for (layout shape : {layout::compact, layout::pretty}) {
    expect(!write_typed_json(tree, shape, text), "every tree has typed JSON");
    expect(!read_typed_json(text, back, many), "written typed JSON is read");
    expect(same(tree, back, true), "written typed JSON says the same");
    expect(!read_json(write_json(tree, shape), back, many), "written JSON is read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::exact_copy input(data, size, 0);
  auto check = [&](auto read) {
    node tree;
    if (auto wrong = read(tree)) {
      expect(wrong->at.offset <= size, "the place of a fault is in the input");
      expect(!wrong->text.empty(), "each fault has a reason");
      return;
    }
    write_and_read_back(tree);
  };
  check([&](node& out) { return read_any(input.view(), out, few); });
  check([&](node& out) { return read_typed_json(base::as_text(input.view()), out, few); });
  return 0;
}
