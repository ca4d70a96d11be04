#include "job/read.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

using family = socket_entry::family;

outcome<reading> read_sockets(const std::string& sockets) {
  return read("{\"Label\": \"a\", \"Program\": \"/p\",\n\"Sockets\": " + sockets + "}", "j");
}

std::string error_of(const std::string& sockets) {
  outcome<reading> result = read_sockets(sockets);
  return result ? "no error" : result.error().text;
}

std::string first_error_of(const std::string& sockets) {
  const std::string all = error_of(sockets);
  return all.substr(0, all.find('\n'));
}

TEST(JobSockets, EntriesComeInTheOrderOfTheirNames) {
  outcome<reading> result = read_sockets(
      "{\"web\": [{\"SockServiceName\": \"http\", \"SockFamily\": \"IPv4v6\"},"
      "           {\"SockServiceName\": 53, \"SockType\": \"dgram\", \"SockNodeName\": \"::1\"}],"
      " \"local\": {\"SockPathName\": \"/run/x\", \"SockPathMode\": 438, \"SockPathOwner\": 3,"
      "           \"SockType\": \"seqpacket\"}}");
  ASSERT_TRUE(result) << result.error().text;
  const std::vector<socket_entry>& all = result->job.sockets;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "local");
  EXPECT_EQ(all[0].how, family::unix_path);
  EXPECT_EQ(all[0].path, "/run/x");
  EXPECT_EQ(all[0].type, socket_entry::kind::seqpacket);
  EXPECT_EQ(all[0].path_mode, 0666u);
  EXPECT_EQ(all[0].path_owner, 3u);
  EXPECT_FALSE(all[0].path_group);
  EXPECT_EQ(all[1].name, "web");
  EXPECT_EQ(all[1].how, family::both_in_one);
  EXPECT_EQ(all[1].service, "http");
  EXPECT_EQ(all[1].type, socket_entry::kind::stream);
  EXPECT_EQ(all[2].service, "53");
  EXPECT_EQ(all[2].node, "::1");
  EXPECT_EQ(all[2].type, socket_entry::kind::datagram);
}

TEST(JobSockets, MistakesAreNamed) {
  EXPECT_EQ(error_of("{\"a\": {}}"),
            "j:2: Sockets/a: SockServiceName is missing, and so is SockPathName");
  EXPECT_EQ(error_of("{\"a\": {\"SockFamily\": \"Unix\"}}"),
            "j:2: Sockets/a: SockPathName is missing");
  EXPECT_EQ(error_of("{\"a\": {\"SockPathName\": \"/x\", \"SockServiceName\": 1}}"),
            "j:2: Sockets/a: SockPathName excludes SockNodeName and SockServiceName");
  EXPECT_EQ(error_of("{\"a\": {\"SockPathName\": \"/x\", \"SockFamily\": \"IPv4\"}}"),
            "j:2: Sockets/a: SockPathName is for SockFamily Unix");
  EXPECT_EQ(first_error_of("{\"a\": {\"SockServiceName\": 65536}}"),
            "j:2: Sockets/a/SockServiceName: expected integer from 0 to 65535");
  EXPECT_EQ(error_of("{\"a\": {\"SockServiceName\": 1, \"SockType\": \"raw\"}}"),
            "j:2: Sockets/a/SockType: expected stream, dgram or seqpacket");
  EXPECT_EQ(error_of("{\"a\": {\"SockServiceName\": 1, \"SockType\": \"seqpacket\"}}"),
            "j:2: Sockets/a/SockType: seqpacket is for SockFamily Unix");
  EXPECT_EQ(error_of("{\"a\": {\"SockServiceName\": 1, \"SockPassive\": false}}"),
            "j:2: Sockets/a/SockPassive: expected true: a job that connects to somebody does so "
            "itself");
  EXPECT_EQ(first_error_of("{\"a\": [{\"SockServiceName\": 1}, {\"SockFamily\": \"IPX\"}]}"),
            "j:2: Sockets/a/1/SockFamily: expected IPv4, IPv6, IPv4v6 or Unix");
  EXPECT_EQ(error_of("{\"a:b\": {\"SockServiceName\": 1}}"),
            "j:2: Sockets/a:b: ':' at position 2 is not one of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(error_of("{\"a\": {\"SockPathName\": \"/" + std::string(107, 'x') + "\"}}"),
            "j:2: Sockets/a/SockPathName: a socket's path has at most 107 bytes");
  EXPECT_EQ(error_of("[]"), "j:2: Sockets: expected dictionary, found array");
}

TEST(JobSockets, KeysWithoutEffectAreNamedWithTheReason) {
  struct {
    std::string key, reason;
  } const cases[] = {
      {"Bonjour", "here: xpcd announces no services on the network"},
      {"MulticastGroup", "here: a program joins groups itself"},
      {"ReceivePacketInfo", "here: a program sets options of its sockets itself"},
      {"SecureSocketWithKey", "here: a path given by SockPathName is what others know it by"},
      {"SockColour", ": there is no such key"},
  };
  for (const auto& one : cases) {
    outcome<reading> result = read(
        "{\"Label\": \"a\", \"Program\": \"/bin/true\",\n\"Sockets\": {\"s\": "
        "{\"SockServiceName\": 1, \"" +
            one.key + "\": true}}}",
        "j");
    ASSERT_TRUE(result) << result.error().text;
    const std::string between = one.reason.front() == ':' ? "" : " ";
    EXPECT_EQ(result->warnings, std::vector<std::string>{"j:2: Sockets/s/" + one.key +
                                                         ": has no effect" + between + one.reason});
  }
}

}  // namespace
}  // namespace openxpc::job
