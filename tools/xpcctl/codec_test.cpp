// xpcctl decode and encode as a shell sees them, over the vectors of tests/data/wire.

#include "support/child.hpp"
#include "support/places.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace {

using nlohmann::json;
using xpc_testing::run_result;

json vectors(const char* file) {
  std::ifstream in(std::string(xpc_testing::data_folder) + "/wire/" + file);
  return json::parse(in).at("vectors");
}

/// Runs the tool with `input` in a file, so that its size does not matter.
run_result xpcctl(std::vector<std::string> arguments, const std::string& input) {
  std::string file = std::string(std::getenv("XDG_RUNTIME_DIR")) + "/input";
  std::ofstream(file, std::ios::binary) << input;
  arguments.push_back(file);
  return xpc_testing::run(xpc_testing::xpcctl_program,
                          {.arguments = std::move(arguments), .keep_stderr = true});
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

/// "offset N: reason" and nothing else.
void expect_refused(const run_result& said, const std::string& name) {
  EXPECT_EQ(said.end.status, EX_DATAERR) << name;
  EXPECT_EQ(said.output, "") << name;
  std::size_t digits = said.error.find_first_not_of("0123456789", 7);
  EXPECT_TRUE(said.error.starts_with("offset ") && digits > 7 &&
              said.error.compare(digits, 2, ": ") == 0 &&
              said.error.find('\n') == said.error.size() - 1)
      << name << ": " << said.error;
}

TEST(Xpcctl, DecodesEveryVector) {
  for (const json& vector : vectors("vectors.json")) {
    run_result said = xpcctl({"decode", "--hex"}, vector.at("hex").get<std::string>());
    ASSERT_EQ(said.end.status, EX_OK) << vector.at("name") << ": " << said.error;
    EXPECT_EQ(json::parse(said.output), vector.at("value")) << vector.at("name");
  }
}

TEST(Xpcctl, EncodesEveryVectorToTheSameBytes) {
  for (const json& vector : vectors("vectors.json")) {
    run_result said = xpcctl({"encode", "--hex"}, vector.at("value").dump());
    ASSERT_EQ(said.end.status, EX_OK) << vector.at("name") << ": " << said.error;
    EXPECT_EQ(said.output, vector.at("hex").get<std::string>() + '\n') << vector.at("name");
  }
}

TEST(Xpcctl, T40_RefusesEveryHostileVectorWithOffsetAndReason) {
  for (const json& vector : vectors("hostile.json"))
    expect_refused(xpcctl({"decode"}, bytes_of(vector.at("hex").get<std::string>())),
                   vector.at("name").get<std::string>());
}

TEST(Xpcctl, SpeaksTheNativeHeaderWhenAsked) {
  std::string text = R"({"type":"dictionary","value":[["a",{"type":"int64","value":"-5"}]]})";
  run_result file = xpcctl({"encode"}, text);
  run_result native = xpcctl({"encode", "--native"}, text);
  ASSERT_EQ(native.end.status, EX_OK) << native.error;
  EXPECT_EQ(native.output.substr(0, 4), "CPX@");
  EXPECT_EQ(file.output.substr(0, 4),
            "B7\x13"
            "B");
  EXPECT_EQ(native.output.substr(4), file.output.substr(4));

  run_result back = xpcctl({"decode", "--native", "--compact"}, native.output);
  EXPECT_EQ(back.output, text + '\n') << back.error;
  expect_refused(xpcctl({"decode"}, native.output), "native bytes without --native");
  expect_refused(xpcctl({"decode", "--native"}, file.output), "a file's bytes with --native");
}

TEST(Xpcctl, ReadsStandardInput) {
  std::string hex = "42371342 05000000\n00f00000 04000000 00000000\n";
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"decode", "--hex"}, {"decode", "--hex", "-"}}) {
    run_result said = xpc_testing::run(xpc_testing::xpcctl_program,
                                       {.arguments = arguments, .keep_stderr = true}, hex);
    EXPECT_EQ(said.end.status, EX_OK) << said.error;
    EXPECT_EQ(said.output, "{\"type\": \"dictionary\", \"value\": []}\n");
  }
}

TEST(Xpcctl, RefusesWhatIsNoHexadecimal) {
  for (auto [text, error] : {std::pair("42 3x", "offset 4: not a hexadecimal digit\n"),
                             std::pair("x2", "offset 0: not a hexadecimal digit\n"),
                             std::pair("42 3", "offset 3: half a byte, one hexadecimal digit\n"),
                             std::pair("4 2", "offset 0: half a byte, one hexadecimal digit\n")}) {
    run_result said = xpcctl({"decode", "--hex"}, text);
    EXPECT_EQ(said.end.status, EX_DATAERR);
    EXPECT_EQ(said.error, error);
  }
}

TEST(Xpcctl, EncodeNamesLineAndColumn) {
  std::string file = std::string(std::getenv("XDG_RUNTIME_DIR")) + "/input";
  for (auto [text, error] :
       {std::pair("{\"type\":\n\"int\"}", ":2:1: no value of type \"int\" can be made from text\n"),
        std::pair(R"({"type":"array","value":[]})", ":1:1: the root must be a dictionary\n"),
        std::pair("",
                  ":1:1: JSON: syntax error while parsing value - unexpected end of input; "
                  "expected '[', '{', or a literal\n")}) {
    run_result said = xpcctl({"encode"}, text);
    EXPECT_EQ(said.end.status, EX_DATAERR);
    EXPECT_EQ(said.output, "");
    EXPECT_EQ(said.error, file + error);
  }
}

TEST(Xpcctl, EncodeRefusesWhatTheEncodingCannotHold) {
  std::string transfer =
      R"({"type":"dictionary","value":[["f",{"type":"file_transfer","value":{"id":"1","object":)"
      R"({"type":"dictionary","value":[["s",{"type":"uint64","value":"4096"}]]}}}]]})";
  EXPECT_EQ(xpcctl({"encode"}, transfer).end.status, EX_OK);
  run_result said = xpcctl({"encode", "--native"}, transfer);
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_NE(said.error.find("f"), std::string::npos) << said.error;
}

}  // namespace
