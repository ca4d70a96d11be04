#include "object/codec.hpp"

#include "object/error.hpp"
#include "object/file_transfer.hpp"
#include "object/messages_test.hpp"
#include "support/places.hpp"
#include "wire/vector_files_test.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace openxpc::object {
namespace {

using testing::an_fd;
using testing::inode_of;
using testing::receive;
using testing::round_trip;
using testing::send;
using testing::text;
namespace vectors = wire::vectors;

std::string hex(const base::buffer& bytes) { return vectors::to_hex(bytes.view()); }

/// The same value with no encoded part left: a native tree.
ref<object> rebuilt(object& from) {
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
    in->each([&](std::size_t, const item& value) {
      made->append(rebuilt(*value.as_object()));
      return true;
    });
    return made;
  }
  if (auto* in = as<file_transfer>(&from))
    return base::make_ref<file_transfer>(in->id(), rebuilt(*in->content()));
  return ref<object>::share(&from);
}

TEST(Codec, EveryVectorComesBackToTheSameBytesSplicedAndRebuilt) {
  auto file = vectors::load(std::string(xpc_testing::data_folder) + "/wire/vectors.json");
  for (const auto& each : file.at("vectors")) {
    SCOPED_TRACE(each.at("name").get<std::string>());
    auto message = vectors::from_hex(each.at("hex").get<std::string>());
    std::optional<wire::malformed> fault;
    auto got = decode(base::bytes(message), {}, wire::mode::file, fault);
    ASSERT_TRUE(got) << wire::describe(*fault);
    EXPECT_EQ(hex(send(*got, wire::mode::file).bytes), each.at("hex").get<std::string>());
    auto native = rebuilt(*got);
    auto& root = *static_cast<dictionary*>(native.get());
    EXPECT_EQ(hex(send(root, wire::mode::file).bytes), each.at("hex").get<std::string>());
    EXPECT_TRUE(equal(*got, root));
    EXPECT_EQ(hash(*got), hash(root));
    EXPECT_TRUE(equal(*copy(root), *got));
  }
}

TEST(Codec, MalformedMessagesAreRefusedWithOffsetAndTheirDescriptorsLeftAlone) {
  std::vector<std::byte> junk(30, std::byte{7});
  int probe = ::dup(0);
  std::vector<base::fd> files;
  files.push_back(base::fd(probe));
  std::optional<wire::malformed> fault;
  EXPECT_FALSE(decode(base::bytes(junk), std::move(files), wire::mode::local, fault));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->offset, 0u);
  ASSERT_EQ(files.size(), 1u) << "closing them may block: the caller knows where";
  EXPECT_EQ(files[0].get(), probe);
  EXPECT_FALSE(decode(base::bytes(), {}, wire::mode::local, fault));
}

TEST(Codec, MessageLargerThanTheLimitIsRefusedBeforeItIsCopied) {
  wire::limits small;
  small.bytes = 100;
  std::vector<std::byte> big(101);
  std::optional<wire::malformed> fault;
  EXPECT_FALSE(decode(base::bytes(big), {}, wire::mode::local, fault, small));
  EXPECT_EQ(fault->what, wire::fault::message_too_large);
}

TEST(Codec, KeepsABlockInsteadOfCopying) {
  auto it = dictionary::create();
  it->set("text", text("hello"));
  auto message = send(*it);
  auto block = base::block::copy_of(message.bytes.view());
  auto bytes = block->view();
  std::optional<wire::malformed> fault;
  auto got = decode(std::move(block), {}, wire::mode::local, fault);
  auto said = got->find("text").to_string();
  EXPECT_EQ(said, "hello");
  EXPECT_GE(reinterpret_cast<const std::byte*>(said.data()), bytes.data());
  EXPECT_LT(reinterpret_cast<const std::byte*>(said.data()), bytes.data() + bytes.size());
}

TEST(Codec, DescriptorsTravelInTagOrderWhereverTheyStand) {
  auto it = dictionary::create();
  auto list = array::create();
  std::vector<ino_t> inodes;
  for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random"}) {
    auto file = base::make_ref<shared_fd>(base::fd(::open(path, O_PATH | O_CLOEXEC)));
    inodes.push_back(inode_of(file->get()));
    if (inodes.size() == 3)
      list->append(base::make_ref<endpoint>(file));
    else
      list->append(base::make_ref<descriptor>(file));
  }
  auto inner = dictionary::create();
  inner->set("files", list);
  it->set("before", make_int64(0));
  it->set("inner", inner);
  it->set("last", list->get(0) ? ref<object>::share(list->get(0)) : nullptr);
  auto message = send(*it);
  ASSERT_EQ(message.with.size(), 5u);

  auto check = [&](const dictionary& got) {
    auto& files = *static_cast<array*>(static_cast<dictionary*>(got.get("inner"))->get("files"));
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_EQ(inode_of(files.find(i).to_file()->get()), inodes[i]) << i;
    EXPECT_EQ(inode_of(got.find("last").to_file()->get()), inodes[0]);
  };
  auto got = receive(message);
  check(*got);
  // A received part that is sent on takes just its own descriptors along.
  auto forward = dictionary::create();
  forward->set("part", ref<object>::share(got->get("inner")));
  auto forwarded = send(*forward);
  EXPECT_EQ(forwarded.with.size(), 4u);
  auto arrived = receive(forwarded);
  auto* part = static_cast<dictionary*>(arrived->get("part"));
  EXPECT_EQ(inode_of(static_cast<array*>(part->get("files"))->find(3).to_file()->get()), inodes[3]);
  // And so does the whole after a change around it.
  got->set("more", make_int64(1));
  check(*round_trip(*got));
}

TEST(Codec, DescriptorsStayOpenForAWaitingMessageWhenTheirObjectsAreGone) {
  auto it = dictionary::create();
  it->set("file", an_fd());
  auto message = send(*it);
  it = nullptr;
  EXPECT_GE(::fcntl(message.with.at(0)->get(), F_GETFD), 0);
}

TEST(Codec, AChangeInAnInnerContainerOfAReceivedMessageIsSentOn) {
  auto inner = dictionary::create();
  inner->set("n", make_int64(1));
  auto list = array::create();
  list->append(inner);
  list->append(text("unchanged"));
  auto it = dictionary::create();
  it->set("list", list);
  it->set("fd", an_fd());
  auto got = round_trip(*it);
  EXPECT_TRUE(got->untouched());
  auto* changed = static_cast<dictionary*>(static_cast<array*>(got->get("list"))->get(0));
  EXPECT_TRUE(got->untouched());
  changed->set("n", make_int64(2));
  EXPECT_FALSE(got->untouched());
  EXPECT_TRUE(got->is_view());
  auto again = round_trip(*got);
  EXPECT_EQ(static_cast<dictionary*>(static_cast<array*>(again->get("list"))->get(0))
                ->find("n")
                .to_bits(),
            2u);
  EXPECT_TRUE(again->find("fd").is(OPENXPC_TYPE_FD));
}

TEST(Codec, LaterChangesDoNotReachWhatWasEncoded) {
  auto it = dictionary::create();
  it->set("n", make_int64(1));
  auto message = send(*it);
  it->set("n", make_int64(2));
  EXPECT_EQ(receive(message)->find("n").to_bits(), 1u);
}

std::string problem_of(const dictionary& message, encode_options options = {}) {
  base::buffer out;
  out.append(base::as_bytes("before"));
  attachments with;
  auto problem = encode(message, out, with, options);
  if (!problem) return "";
  EXPECT_EQ(base::as_text(out.view()), "before");
  EXPECT_TRUE(with.empty());
  return problem->text();
}

TEST(Codec, WhatCannotBeSentIsNamedWithItsPath) {
  auto rows = array::create();
  rows->append(text("fine"));
  auto row = dictionary::create();
  rows->append(row);
  auto it = dictionary::create();
  it->set("fd", an_fd());
  it->set("rows", rows);

  row->set("bad", ref<object>::share(handle_of(_xpc_error_connection_invalid)));
  EXPECT_EQ(problem_of(*it), "rows[1].bad: objects of type error cannot be sent");
  row->set("bad", text("\xff"));
  EXPECT_EQ(problem_of(*it), "rows[1].bad: the text is not UTF-8; send it as data");
  row->set("bad", data::blank(4));
  EXPECT_EQ(problem_of(*it), "rows[1].bad: the data was not finished");
  row->set("bad", it);
  EXPECT_EQ(problem_of(*it), "rows[1].bad: the dictionary contains itself");
  row->remove("bad");
  row->set("\xff", make_int64(1));
  EXPECT_EQ(problem_of(*it), "rows[1].\xff: the text is not UTF-8; send it as data");
  row->remove("\xff");
  auto content = dictionary::create();
  content->set("s", make_uint64(1));
  row->set("file", base::make_ref<file_transfer>(1, content));
  EXPECT_EQ(problem_of(*it), "rows[1].file: a file transfer cannot be in a message");
  row->remove("file");
  encode_options to_file;
  to_file.spoken = wire::mode::file;
  to_file.descriptors = false;
  EXPECT_EQ(problem_of(*it, to_file), "fd: the fd needs a descriptor beside the bytes");
  EXPECT_EQ(problem_of(*it), "");
}

TEST(Codec, NestingIsBoundedByWhatReceiversTakeAlsoForSplicedParts) {
  auto nested = [](int depth) {
    auto inner = array::create();
    for (int i = 1; i < depth; ++i) {
      auto outer = array::create();
      outer->append(inner);
      inner = outer;
    }
    return inner;
  };
  auto it = dictionary::create();
  it->set("deep", nested(63));
  auto got = round_trip(*it);
  it->set("deep", nested(64));
  EXPECT_NE(problem_of(*it).find("nested deeper than 64"), std::string::npos);

  auto around = dictionary::create();
  around->set("part", ref<object>::share(got->get("deep")));
  round_trip(*around);  // 63 below 1 still fit
  around = dictionary::create();
  auto more = dictionary::create();
  more->set("part", got);
  around->set("more", more);
  EXPECT_NE(problem_of(*around).find("nested deeper than 64"), std::string::npos);
}

TEST(Codec, MessagesBeyondTheLimitStopWhereTheyPassIt) {
  auto it = dictionary::create();
  auto list = array::create();
  auto block = data::blank(1000);
  std::memset(block->fill(), 0, 1000);
  block->finish(1000);
  for (int i = 0; i < 10; ++i) list->append(block);
  it->set("list", list);
  encode_options options;
  options.most_bytes = 4000;
  EXPECT_EQ(problem_of(*it, options), "list[3]: the message is larger than the limit");
  // The same array again and again: 2 to the 60th elements, were they written.
  for (int i = 0; i < 60; ++i) {
    auto twice = array::create();
    twice->append(list);
    twice->append(list);
    list = twice;
  }
  it->set("list", list);
  EXPECT_NE(problem_of(*it).find("larger than the limit"), std::string::npos);
}

TEST(Codec, FileTransfersAreForFiles) {
  auto content = dictionary::create();
  content->set("s", make_uint64(77));
  auto it = dictionary::create();
  it->set("file", base::make_ref<file_transfer>(5, content));
  auto got = round_trip(*it, wire::mode::file);
  auto* transfer = as<file_transfer>(got->get("file"));
  ASSERT_TRUE(transfer);
  EXPECT_EQ(transfer->id(), 5u);
  EXPECT_TRUE(equal(*transfer->content(), *content));
  // A received file may not be spliced into a message.
  EXPECT_EQ(problem_of(*got), "file: a file transfer cannot be in a message");
}

TEST(Codec, R307_NumbersComeBackBitForBit) {
  auto list = array::create();
  std::vector<std::uint64_t> doubles = {
      std::bit_cast<std::uint64_t>(std::numeric_limits<double>::infinity()),
      std::bit_cast<std::uint64_t>(-std::numeric_limits<double>::infinity()),
      std::bit_cast<std::uint64_t>(std::numeric_limits<double>::denorm_min()),
      std::bit_cast<std::uint64_t>(-0.0),
      0x7ff8000000000123,   // quiet NaN
      0x7ff0000000000123};  // signalling NaN
  for (auto bits : doubles) list->append(ref<object>::adopt(new scalar(OPENXPC_TYPE_DOUBLE, bits)));
  std::vector<std::int64_t> integers = {std::numeric_limits<std::int64_t>::min(), -1, 0,
                                        std::numeric_limits<std::int64_t>::max()};
  for (auto each : integers) list->append(make_int64(each));
  list->append(make_uint64(std::numeric_limits<std::uint64_t>::max()));
  auto it = dictionary::create();
  it->set("list", list);
  auto got = round_trip(*it);
  auto& arrived = *static_cast<array*>(got->get("list"));
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    EXPECT_EQ(arrived.find(i).to_bits(), doubles[i]);
    EXPECT_EQ(static_cast<scalar*>(arrived.get(i))->bits(), doubles[i]);
  }
  for (std::size_t i = 0; i < integers.size(); ++i)
    EXPECT_EQ(static_cast<std::int64_t>(arrived.find(doubles.size() + i).to_bits()), integers[i]);
  EXPECT_EQ(arrived.find(10).to_bits(), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace openxpc::object
