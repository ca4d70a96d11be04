#include "job/bundle.hpp"

#include <gtest/gtest.h>

namespace openxpc::job {
namespace {

std::string plist(const std::string& entries) {
  return "<plist version=\"1.0\"><dict>\n<key>CFBundleIdentifier</key>\n"
         "<string>org.example.helper</string>\n" +
         entries + "</dict></plist>\n";
}

std::string service(const std::string& entries) {
  return plist("<key>XPCService</key><dict>\n" + entries + "</dict>\n");
}

std::string wrong_with(const std::string& text) {
  outcome<bundle_reading> read = read_bundle(text, "Info.plist");
  return read ? "" : read.error().text;
}

TEST(JobBundle, R220_TheIdentifierIsTheNameAndXPCServiceConfiguresIt) {
  outcome<bundle_reading> read = read_bundle(
      service("<key>ServiceType</key><string>User</string>\n"
              "<key>RunLoopType</key><string>NSRunLoop</string>\n"
              "<key>JoinExistingSession</key><true/>\n"
              "<key>EnvironmentVariables</key><dict><key>A</key><string>b</string></dict>\n"),
      "Info.plist");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->info.identifier, "org.example.helper");
  EXPECT_EQ(read->info.type, service_type::user);
  EXPECT_TRUE(read->info.join_existing_session);
  EXPECT_EQ(read->info.environment, (std::map<std::string, std::string>{{"A", "b"}}));
  EXPECT_TRUE(read->warnings.empty());
}

TEST(JobBundle, R221_WithoutTheDictionaryItIsAnApplicationsServiceInASessionOfItsOwn) {
  outcome<bundle_reading> read = read_bundle(plist(""), "Info.plist");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->info.type, service_type::application);
  EXPECT_FALSE(read->info.join_existing_session);
  EXPECT_FALSE(read->info.multiple_instances);
  EXPECT_TRUE(read->info.no_new_privileges);
  EXPECT_TRUE(read->info.environment.empty());
  EXPECT_EQ(read->info.executable, "");
}

TEST(JobBundle, AnErrorNamesLineKeyAndWhatIsExpected) {
  EXPECT_EQ(wrong_with(service("<key>ServiceType</key><string>Global</string>\n")),
            "Info.plist:5: XPCService/ServiceType: expected Application, User or System, found "
            "Global");
  EXPECT_EQ(wrong_with(service("<key>RunLoopType</key><true/>\n")),
            "Info.plist:5: XPCService/RunLoopType: expected string, found bool");
  EXPECT_EQ(wrong_with(service("<key>RunLoopType</key><string>uv_run</string>\n")),
            "Info.plist:5: XPCService/RunLoopType: expected dispatch_main or NSRunLoop, found "
            "uv_run");
  EXPECT_EQ(wrong_with(service("<key>_MultipleInstances</key><string>yes</string>\n")),
            "Info.plist:5: XPCService/_MultipleInstances: expected bool, found string");
  EXPECT_EQ(wrong_with(service("<key>EnvironmentVariables</key>\n"
                               "<dict><key>LISTEN_FDS</key><string>1</string></dict>\n")),
            "Info.plist:6: XPCService/EnvironmentVariables/LISTEN_FDS: is set by xpcd itself");
  EXPECT_EQ(wrong_with(plist("<key>CFBundlePackageType</key><string>APPL</string>\n")),
            "Info.plist:4: CFBundlePackageType: expected XPC!, found APPL");
  EXPECT_EQ(wrong_with(plist("<key>CFBundleExecutable</key><string>../sh</string>\n")),
            "Info.plist:4: CFBundleExecutable: ../sh is no plain name of a file in the bundle");
  EXPECT_EQ(wrong_with("<plist version=\"1.0\"><dict>\n</dict></plist>"),
            "Info.plist:1: CFBundleIdentifier: is missing: it is the name of the service");
}

TEST(JobBundle, OnlyAServiceOfAnApplicationHasAnInstanceForEachConnection) {
  EXPECT_EQ(wrong_with(service("<key>ServiceType</key><string>User</string>\n"
                               "<key>_MultipleInstances</key><true/>\n")),
            "Info.plist:6: XPCService/_MultipleInstances: only a service of type Application has "
            "an instance for each connection");
}

TEST(JobBundle, KeysOfOthersAreTheirsAndUnknownOnesOfOursAreNamed) {
  outcome<bundle_reading> read =
      read_bundle(plist("<key>CFBundleVersion</key><string>1</string>\n"
                        "<key>XPCService</key><dict><key>Servicetype</key><true/></dict>\n"),
                  "Info.plist");
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_EQ(read->warnings.size(), 1u);
  EXPECT_EQ(read->warnings[0],
            "Info.plist:5: XPCService/Servicetype: has no effect: there is no such key here");
}

TEST(JobBundle, AnInfoPlistIsToldFromAJobDescription) {
  EXPECT_TRUE(looks_like_bundle(plist("")));
  EXPECT_TRUE(looks_like_bundle("<plist><dict><key>XPCService</key><dict/></dict></plist>"));
  EXPECT_FALSE(looks_like_bundle(
      "<plist><dict><key>Label</key><string>org.example.a</string></dict></plist>"));
  EXPECT_FALSE(looks_like_bundle("<plist>"));
}

}  // namespace
}  // namespace openxpc::job
