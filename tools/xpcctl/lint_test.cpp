// xpcctl lint: what it says about good, bad and odd job descriptions in each notation.

#include "support/child.hpp"
#include "support/places.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <sysexits.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace {

using xpc_testing::run_result;

run_result lint(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), "lint");
  return xpc_testing::run(xpc_testing::xpcctl_program,
                          {.arguments = std::move(arguments), .keep_stderr = true}, input);
}

std::string write(const std::string& file, const std::string& text) {
  const std::string path = xpc_testing::runtime_directory() + "/" + file;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string xml(const std::string& body) {
  return "<plist version=\"1.0\"><dict>\n<key>Label</key><string>a</string>\n"
         "<key>Program</key><string>/p</string>\n" +
         body + "</dict></plist>\n";
}

TEST(XpcctlLint, SaysNothingAboutAGoodDescription) {
  run_result said = lint({write("good.plist", xml("<key>RunAtLoad</key><true/>\n"))});
  EXPECT_EQ(said.end.status, EX_OK);
  EXPECT_EQ(said.output + said.error, "");
}

TEST(XpcctlLint, NamesLineKeyAndWhatIsExpected) {
  const std::string path = write("bad.plist", xml("<key>RunAtLoad</key><integer>1</integer>\n"
                                                  "<key>Debug</key><true/>\n"
                                                  "<key>ExitTimeOut</key><string/>\n"));
  run_result said = lint({path});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error, path + ":4: RunAtLoad: expected bool, found int64\nwarning: " + path +
                            ":5: Debug: has no effect here: OPENXPC_TRACE in "
                            "EnvironmentVariables makes a job tell what it does\n" +
                            path + ":6: ExitTimeOut: expected integer, found string\n");
  EXPECT_EQ(said.output, "");
}

TEST(XpcctlLint, ReadsJsonAndBinaryToo) {
  const std::string json =
      write("j.json", "{\"Label\": \"a\",\n \"Program\": \"/p\",\n \"RunAtLoad\": 3}\n");
  EXPECT_EQ(lint({json}).error, json + ":3: RunAtLoad: expected bool, found int64\n");
  // {"Label": 5} with one byte integers: a dictionary of one pair, its key, its value, the table.
  const std::string bytes(
      "bplist00\xd1\x01\x02\x55Label\x10\x05\x08\x0b\x11\0\0\0\0\0\0\1\1\0\0\0"
      "\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13",
      54);
  const std::string binary = write("b.plist", bytes);
  run_result said = lint({binary});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_NE(said.error.find(binary + ": Label: expected string, found int64\n"), std::string::npos)
      << said.error;
}

TEST(XpcctlLint, GoesThroughAllFilesAndReportsTheWorst) {
  const std::string good = write("good.plist", xml("")), broken = write("broken.plist", "<plist>"),
                    bad = write("bad.plist", xml("<key>RunAtLoad</key><real>1</real>\n"));
  run_result said = lint({broken, bad, good});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error.compare(0, broken.size() + 1, broken + ":"), 0) << said.error;
  EXPECT_NE(said.error.find(bad + ":4: RunAtLoad: expected bool, found double\n"),
            std::string::npos);
  said = lint({"-"}, xml("<key>Debug</key><true/>"));
  EXPECT_EQ(said.end.status, EX_OK) << "a warning is no error";
  EXPECT_EQ(said.error.compare(0, 27, "warning: standard input:4: "), 0) << said.error;
  EXPECT_EQ(lint({"/no/such/file"}).end.status, EX_NOINPUT);
}

TEST(XpcctlLint, SaysOnRequestWhatTheSystemDomainDoesNotLoad) {
  const std::string path =
      write("open.plist", xml("<key>MachServices</key><dict>\n<key>n</key><true/></dict>\n"));
  EXPECT_EQ(lint({path}).end.status, EX_OK);
  run_result said = lint({"--system", path});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error, path +
                            ":5: MachServices/n: expected Requirement or AllowAnyPeer true, "
                            "which a name needs in the system domain\n");
  EXPECT_EQ(
      lint({"--system", write("good.plist", xml("<key>MachServices</key><dict><key>n</key><dict>"
                                                "<key>AllowAnyPeer</key><true/></dict></dict>\n"))})
          .error,
      "");
  const std::string wants =
      write("wants.plist", xml("<key>MachServices</key><dict><key>n</key><dict>\n"
                               "<key>Requirement</key><string>team A</string></dict></dict>\n"));
  said = lint({wants});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error.find(wants + ":5: MachServices/n/Requirement: is not judged yet"), 0u)
      << said.error;
}

TEST(XpcctlLint, JsonIsForScripts) {
  const std::string path = write("bad.plist", xml("<key>Nope</key><true/>\n"
                                                  "<key>RunAtLoad</key><integer>1</integer>\n"));
  run_result said = lint({"--json", path});
  EXPECT_EQ(said.end.status, EX_DATAERR);
  EXPECT_EQ(said.error, "");
  const nlohmann::json all = nlohmann::json::parse(said.output);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["severity"], "warning");
  EXPECT_EQ(all[1], (nlohmann::json{{"file", path},
                                    {"severity", "error"},
                                    {"line", 5},
                                    {"key", "RunAtLoad"},
                                    {"text", "expected bool, found int64"}}));
  EXPECT_EQ(nlohmann::json::parse(lint({"--json", write("g", xml(""))}).output),
            nlohmann::json::array());
}

}  // namespace
