// Whatever is received can be read, walked, compared, copied, described, changed and sent on; and
// what is sent on is what was received: spliced from the bytes, rebuilt value by value, and after a
// change undone again (threats T39, T40).
#include "object/array.hpp"
#include "object/codec.hpp"
#include "object/describe.hpp"
#include "object/file_transfer.hpp"
#include "object/rich_error.hpp"
#include "object/scalar.hpp"
#include "object/value.hpp"

#include <fcntl.h>

#include "input.hpp"

using namespace openxpc;
using namespace openxpc::object;
using fuzz::expect;

namespace {

/// The same value as native containers.
ref<openxpc::object::object> rebuilt(openxpc::object::object& from) {
  if (auto* in = as<dictionary>(&from)) {
    auto made = dictionary::create();
    in->each([&](std::string_view key, const item& value) {
      made->set(key, rebuilt(*value.as_object()));
      return true;
    });
    return made;
  }
  if (auto* in = as<array>(&from)) {
    auto made = array::create();
    for (std::size_t i = 0; i < in->count(); ++i) made->append(rebuilt(*in->get(i)));
    return made;
  }
  if (auto* in = as<file_transfer>(&from))
    return base::make_ref<file_transfer>(in->id(), rebuilt(*in->content()));
  return ref<openxpc::object::object>::share(&from);
}

/// The message that a dictionary makes.
base::buffer sent(const dictionary& root, wire::mode spoken, std::size_t files) {
  base::buffer out;
  attachments with;
  encode_options options;
  options.spoken = spoken;
  expect(!encode(root, out, with, options), "what was received can be sent on");
  expect(with.size() == files, "as many descriptors as came");
  return out;
}

bool same(const base::buffer& out, base::bytes message) {
  return out.size() == message.size() &&
         std::memcmp(out.data(), message.data(), message.size()) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::exact_copy input(data, size, size % 8);
  base::bytes message = input.view();
  wire::mode spoken = fuzz::mode_for(message);
  std::size_t files = 0;
  wire::summary found;
  if (fuzz::validate_with_attachments(message, files, found)) return 0;

  std::vector<base::fd> descriptors;
  for (std::size_t i = 0; i < files; ++i)
    descriptors.emplace_back(::open("/dev/null", O_PATH | O_CLOEXEC));
  std::optional<wire::malformed> fault;
  auto root = decode(message, std::move(descriptors), spoken, fault);
  expect(static_cast<bool>(root), "the validator's word counts");

  expect(same(sent(*root, spoken, files), message), "spliced: the bytes that came");
  auto native = rebuilt(*root);
  auto& own = *static_cast<dictionary*>(native.get());
  expect(same(sent(own, spoken, files), message), "rebuilt: the bytes that came");
  expect(equal(*root, own) && hash(*root) == hash(own), "views and native objects are equal");
  auto second = copy(*root);
  expect(second && (files || equal(*root, *second)), "a copy is equal");
  expect(!describe(*root).empty(), "everything has a description");
  expect(static_cast<bool>(rich_error::from(*root)), "every dictionary reads as an error");

  std::string fresh = "no key of this message is that long";
  while (root->find(fresh)) fresh += '.';
  root->set(fresh, make_int64(1));
  expect(root->remove(fresh), "what was set is there");
  if (root->count() <= indexed_above)
    expect(same(sent(*root, spoken, files), message), "changed and back: the bytes that came");
  return 0;
}
