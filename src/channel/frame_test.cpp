#include "channel/frame.hpp"

#include "base/buffer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace openxpc::channel {
namespace {

base::buffer raw(std::uint8_t kind_number, std::uint8_t flags, std::uint16_t attachments,
                 std::uint64_t id, std::size_t extension_count, std::size_t body) {
  base::buffer out;
  base::store(out.extend(header_bytes),
              frame_header{static_cast<std::uint32_t>(body), kind_number, flags, attachments, id});
  for (std::size_t i = 0; i < extension_count; ++i)
    base::store(out.extend(8), std::uint64_t{100 + i});
  std::memset(out.extend(body), 0x55, body);
  out.pad(8);
  return out;
}

std::string fault_of(const base::buffer& packet) {
  frame out;
  auto fault = parse_frame(packet.view(), 0, out);
  return fault ? fault->text : "";
}

TEST(ChannelFrame, WritesWhatItReads) {
  for (unsigned flags = 0; flags < 16; ++flags) {
    extensions extra;
    if (flags & 1) extra.deadline = 11;
    if (flags & 2) extra.sequence = 12;
    if (flags & 4) extra.flow = 13;
    if (flags & 8) extra.row_credit = 14;
    base::buffer packet;
    packet.resize(frame_head_most_bytes);
    packet.resize(write_head(packet.data(), kind::subscribe, false, 3, 77, extra, 5));
    packet.append(base::as_bytes("hello"));
    packet.pad(8);
    frame out;
    ASSERT_FALSE(parse_frame(packet.view(), 0, out)) << flags;
    EXPECT_EQ(out.size, packet.size());
    EXPECT_EQ(out.size, frame_size(extra.flags(), 5));
    EXPECT_EQ(out.what, kind::subscribe);
    EXPECT_EQ(out.id, 77u);
    EXPECT_EQ(out.attachments, 3u);
    EXPECT_EQ(out.counted_bytes(), out.size + 3 * 2048);
    EXPECT_EQ(out.extra.deadline, extra.deadline);
    EXPECT_EQ(out.extra.sequence, extra.sequence);
    EXPECT_EQ(out.extra.flow, extra.flow);
    EXPECT_EQ(out.extra.row_credit, extra.row_credit);
    EXPECT_EQ(base::as_text(out.body), "hello");
  }
}

TEST(ChannelFrame, APlainMessageCostsSixteenBytes) {
  EXPECT_EQ(frame_size(0, 0), 16u);
  EXPECT_EQ(frame_size(0, 1), 24u);
  EXPECT_EQ(frame_size(flag::deadline | flag::flow, 8), 40u);
}

TEST(ChannelFrame, RefusesEveryFaultThatOneFrameShows) {
  EXPECT_EQ(fault_of(raw(2, 0, 0, 0, 0, 5)), "");
  EXPECT_NE(fault_of(raw(kind_count, 0, 0, 0, 0, 0)), "") << "unknown kind";
  EXPECT_NE(fault_of(raw(255, 0, 0, 0, 0, 0)), "") << "unknown kind";
  EXPECT_NE(fault_of(raw(2, 32, 0, 0, 0, 0)), "") << "reserved flag";
  EXPECT_NE(fault_of(raw(2, 1, 0, 0, 0, 4095)), "") << "short piece";
  EXPECT_EQ(fault_of(raw(2, 1, 0, 0, 0, 4096)), "");
  EXPECT_NE(fault_of(raw(2, 0, 254, 0, 0, 0)), "") << "254 descriptors";
  EXPECT_NE(fault_of(raw(2, 0, 0, 1, 0, 0)), "") << "a message with an id";
  EXPECT_NE(fault_of(raw(3, 0, 0, 0, 0, 0)), "") << "a request without an id";
  EXPECT_NE(fault_of(raw(2, 16, 0, 0, 1, 0)), "") << "row credit on a message";
  EXPECT_NE(fault_of(raw(3, 2, 0, 1, 0, 0)), "") << "a deadline is announced and missing";
  for (std::uint8_t each : {5, 6, 7, 10, 11, 12, 13, 15}) {
    EXPECT_NE(fault_of(raw(each, 1, 0, 9, 0, 5000)), "") << "continued control frame " << int{each};
    EXPECT_NE(fault_of(raw(each, 0, 1, 9, 0, 0)), "")
        << "descriptor on control frame " << int{each};
    EXPECT_NE(fault_of(raw(each, 0, 0, 9, 0, 65544)), "") << "long control frame " << int{each};
  }
  EXPECT_NE(fault_of(raw(7, 0, 0, 1, 0, 8)), "") << "cancel of the wrong length";
  EXPECT_NE(fault_of(raw(11, 0, 0, 0, 0, 4)), "") << "credit of the wrong length";
  EXPECT_NE(fault_of(raw(10, 0, 0, 1, 0, 1)), "") << "an end with a body";
}

TEST(ChannelFrame, RefusesFramesCutAtEveryByte) {
  const base::buffer whole = raw(3, 2 | 4 | 8, 0, 1, 3, 21);
  frame out;
  ASSERT_FALSE(parse_frame(whole.view(), 0, out));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(parse_frame(whole.view().first(size), 0, out)) << size;
}

TEST(ChannelFrame, RefusesPaddingThatIsNotZero) {
  base::buffer packet = raw(2, 0, 0, 0, 0, 5);
  packet.data()[packet.size() - 1] = std::byte{1};
  EXPECT_NE(fault_of(packet), "");
}

TEST(ChannelFrame, T42_ALengthOfFourGibibytesIsOnlyANumber) {
  base::buffer packet = raw(2, 0, 0, 0, 0, 16);
  base::store(packet.data(), std::uint32_t{0xffffffff});
  EXPECT_NE(fault_of(packet), "");
}

}  // namespace
}  // namespace openxpc::channel
