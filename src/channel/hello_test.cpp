#include "channel/hello.hpp"

#include "channel/frame.hpp"
#include "channel/greeting.hpp"

#include <gtest/gtest.h>

namespace openxpc::channel {
namespace {

hello good() {
  settings ours;
  ours.options = {{option::interface, "abc"}, {option::instance, ""}};
  return hello_of(ours);
}

base::buffer written(const hello& what) {
  base::buffer out;
  write_hello(out, what);
  return out;
}

std::optional<refusal> objection(const hello& what, side ours = side::connecting) {
  auto read = read_hello(written(what).view(), ours);
  if (auto* r = std::get_if<refusal>(&read)) return *r;
  return std::nullopt;
}

TEST(ChannelHello, IsReadAsItWasWritten) {
  const hello said = good();
  const base::buffer body = written(said);
  EXPECT_EQ(body.size(), 84u + 4 + 4 + 4);
  auto read = read_hello(body.view(), side::accepting);
  ASSERT_TRUE(std::holds_alternative<hello>(read));
  const hello& got = std::get<hello>(read);
  EXPECT_EQ(got.fields.message_bytes, said.fields.message_bytes);
  EXPECT_EQ(got.fields.packet_bytes, said.fields.packet_bytes);
  EXPECT_FALSE(got.fields.has_nonce());
  ASSERT_EQ(got.options.size(), 2u);
  EXPECT_EQ(got.options[0].value, "abc");
  EXPECT_EQ(got.options[1].value, "");
}

TEST(ChannelHello, T51_AForeignProtocolIsRefusedClearly) {
  for (std::string_view text : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "", "XP", "l\1\0\1"}) {
    auto read = read_hello(base::as_bytes(text), side::accepting);
    ASSERT_TRUE(std::holds_alternative<refusal>(read)) << text;
    EXPECT_EQ(std::get<refusal>(read).code, refusal_code::hello);
    EXPECT_NE(std::get<refusal>(read).text.find("another protocol"), std::string::npos);
  }
}

TEST(ChannelHello, T51_NoCommonVersionNamesBothRanges) {
  hello said = good();
  said.fields.lowest = 7;
  said.fields.highest = 9;
  auto refused = objection(said);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, refusal_code::versions);
  EXPECT_NE(refused->text.find("7 to 9"), std::string::npos);
  EXPECT_NE(refused->text.find("1 to 1"), std::string::npos);
  said.fields.lowest = 2;
  said.fields.highest = 1;
  EXPECT_TRUE(objection(said)) << "a range upside down";
  said.fields.lowest = 1;
  said.fields.highest = 9;
  EXPECT_FALSE(objection(said)) << "a newer service that still speaks ours";
  EXPECT_TRUE(objection(said, side::accepting)) << "a client must choose";
  EXPECT_EQ(choose_version(said.fields), 1);
}

TEST(ChannelHello, T51_FeaturesThatWereNotOfferedAreRefused) {
  hello said = good();
  said.fields.features = 1ull << 63;
  EXPECT_TRUE(objection(said, side::accepting));
  EXPECT_FALSE(objection(said, side::connecting)) << "an offer may be ignored";
}

TEST(ChannelHello, T51_OptionsThatMustBeUnderstoodAreRefusedOthersNot) {
  hello said = good();
  said.options.push_back({0x8000, "new"});
  EXPECT_EQ(objection(said)->code, refusal_code::option);
  said.options.back().type = 0x7fff;
  EXPECT_FALSE(objection(said));
}

TEST(ChannelHello, T42_ValuesBelowTheMinimumAreRefusedByName) {
  auto with = [](auto change) {
    hello said = good();
    change(said.fields);
    auto refused = objection(said);
    return refused ? refused->text : std::string();
  };
  EXPECT_NE(with([](hello_fields& f) { f.message_bytes = 65535; }).find("message_bytes is 65535"),
            std::string::npos);
  EXPECT_NE(with([](hello_fields& f) { f.credit_bytes = 0; }).find("credit_bytes"),
            std::string::npos);
  EXPECT_NE(with([](hello_fields& f) { f.unanswered_count = 0; }).find("unanswered_count"),
            std::string::npos);
  EXPECT_NE(with([](hello_fields& f) { f.packet_bytes = 4096; }).find("packet_bytes"),
            std::string::npos);
  EXPECT_EQ(with([](hello_fields& f) { f.attachments = 0; }), "");
}

TEST(ChannelHello, IsRefusedWhenCutAnywhere) {
  const base::buffer body = written(good());
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (size == 84 || size == 92) continue;  // complete, with fewer options
    EXPECT_TRUE(
        std::holds_alternative<refusal>(read_hello(body.view().first(size), side::accepting)))
        << size;
  }
}

TEST(ChannelHello, RefusalsAreReadAsWritten) {
  base::buffer body;
  write_refusal(body, {70, true, false, "later"});
  auto read = read_refusal(body.view());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, 70u);
  EXPECT_TRUE(read->may_retry);
  EXPECT_FALSE(read->moved);
  EXPECT_EQ(read->text, "later");
  EXPECT_FALSE(read_refusal(body.view().first(7)));
}

TEST(ChannelGreeting, T51_TheFirstPacketIsAHelloAloneOrARefusal) {
  const base::buffer hello = hello_packet({}, side::accepting, nullptr);
  EXPECT_TRUE(read_greeting(hello.view(), side::connecting).said);
  base::buffer two;
  two.append(hello.view());
  two.append(hello.view());
  EXPECT_TRUE(read_greeting(two.view(), side::connecting).objection);
  const base::buffer refused = refusal_packet({64, false, true, "moved"});
  auto what = read_greeting(refused.view(), side::connecting);
  ASSERT_TRUE(what.refused);
  EXPECT_TRUE(what.refused->moved);
  base::buffer message;
  message.resize(header_bytes);
  write_head(message.data(), kind::message, false, 0, 0, {}, 0);
  EXPECT_TRUE(read_greeting(message.view(), side::connecting).objection);
  EXPECT_TRUE(read_greeting({}, side::connecting).objection);
}

TEST(ChannelGreeting, TheConnectingSideChoosesOneVersion) {
  hello theirs = good();
  theirs.fields.highest = 9;
  const base::buffer answer = hello_packet({}, side::connecting, &theirs);
  auto what = read_greeting(answer.view(), side::accepting);
  ASSERT_TRUE(what.said);
  EXPECT_EQ(what.said->fields.lowest, 1);
  EXPECT_EQ(what.said->fields.highest, 1);
  peer_info peer;
  describe(*what.said, peer);
  EXPECT_TRUE(peer.same_clock);
}

}  // namespace
}  // namespace openxpc::channel
